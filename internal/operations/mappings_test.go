package operations_test

import (
	"testing"

	"esagate/internal/operations"
)

func TestABrandIsOneOfAHouse(t *testing.T) {
	const required = "400 brandHouse: brandHouse is required beside brandId."
	play(t, operations.Config{}, []scene{
		{name: "no house", operation: "createEsaBuyerAdvertiserMapping", body: `{"operatorDomain":"buy.example","brandId":"b1","gamAdvertiserId":"31"}`, answer: required},
		{name: "null", operation: "createEsaBuyerAdvertiserMapping", body: `{"operatorDomain":"buy.example","brandId":"b1","brandHouse":null,"gamAdvertiserId":"31"}`, answer: required},
		{name: "and more", operation: "createEsaBuyerAdvertiserMapping", body: `{"brandId":"b1","brandHouse":"","gamAdvertiserId":"31"}`,
			answer: "400 operatorDomain: operatorDomain is required. brandHouse: brandHouse is required beside brandId."},
		{name: "a house", operation: "createEsaBuyerAdvertiserMapping", body: `{"operatorDomain":"buy.example","brandId":"b1","brandHouse":"h.example","gamAdvertiserId":"31"}`,
			steps:  []step{{`POST /buyer-advertiser-mappings {"operator_domain":"buy.example","brand_id":"b1","brand_house":"h.example","gam_advertiser_id":"31"}`, 201, mapping("b1", "h.example")}},
			code:   201,
			answer: `{"id":"map_3","operatorDomain":"buy.example","brandHouse":"h.example","brandId":"b1","gamAdvertiserId":"31","createdAt":"2026-09-01T04:00:00Z","updatedAt":"2026-09-01T04:00:00Z"}`},
	})
}

// mapping gives a mapping as the sales agent does; "" is null.
func mapping(brand, house string) string {
	orNull := func(s string) string {
		if s == "" {
			return "null"
		}
		return `"` + s + `"`
	}
	return `{"id":"map_3","operator_domain":"buy.example","brand_house":` + orNull(house) + `,"brand_id":` + orNull(brand) +
		`,"gam_advertiser_id":"31","created_at":"2026-09-01T04:00:00Z","updated_at":"2026-09-01T04:00:00Z"}`
}

func TestNullsOfAMapping(t *testing.T) {
	const (
		list   = "GET /buyer-advertiser-mappings"
		patch  = "PATCH /buyer-advertiser-mappings/map_3 "
		answer = `{"id":"map_3","operatorDomain":"buy.example","brandHouse":"h.example","brandId":null,"gamAdvertiserId":"31","createdAt":"2026-09-01T04:00:00Z","updatedAt":"2026-09-01T04:00:00Z"}`
	)
	stored := `{"mappings":[{"id":"map_1"},7,` + mapping("", "h.example") + `],"count":3}`
	var scenes []scene
	for _, s := range []scene{
		{name: "no null", body: `{"gamAdvertiserId":"32","brandHouse":"i.example"}`, steps: []step{{patch + `{"gam_advertiser_id":"32","brand_house":"i.example"}`, 200, mapping("", "h.example")}},
			code: 200, answer: answer},
		{name: "null for the advertiser says nothing", body: `{"gamAdvertiserId":null,"principalId":"p"}`, steps: []step{{patch + `{"principal_id":"p"}`, 200, mapping("", "h.example")}},
			code: 200, answer: answer},
		{name: "null for what is null", body: `{"brandId":null,"principalId":null,"gamAdvertiserId":"31"}`,
			steps: []step{{list, 200, stored}, {patch + `{"gam_advertiser_id":"31"}`, 200, mapping("", "h.example")}}, code: 200, answer: answer},
		{name: "null for what is set", body: `{"brandHouse":null,"brandId":null,"gamAdvertiserId":"31"}`, steps: []step{{list, 200, stored}},
			answer: "400 brandHouse: brandHouse can't be cleared: delete the mapping, and create it without."},
		{name: "nothing left", body: `{"brandId":null,"gamAdvertiserId":null}`, steps: []step{{list, 200, stored}}, code: 200, answer: answer},
		{name: "nothing at all", body: `{}`, steps: []step{{list, 200, stored}}, code: 200, answer: answer},
		{name: "not in the list", body: `{"brandId":null}`, steps: []step{{list, 200, `{"mappings":[{"id":"map_1"}],"count":1}`}}, answer: "404 MAPPING_NOT_FOUND"},
		{name: "no list", body: `{"brandId":null}`, steps: []step{{list, 200, `{"count":0}`}}, answer: "503 UPSTREAM_INVALID_RESPONSE"},
		{name: "the list can't be read", body: `{"brandId":null}`, steps: []step{{list, 500, `{"error":"internal_error","error_id":"e1"}`}}, answer: "503 UPSTREAM_ERROR"},
		{name: "the mapping can't be read", body: `{}`, steps: []step{{list, 200, `{"mappings":[{"id":"map_3"}]}`}}, answer: "503 UPSTREAM_INVALID_RESPONSE"},
	} {
		s.operation, s.vars = "updateEsaBuyerAdvertiserMapping", []string{"mappingId", "map_3"}
		scenes = append(scenes, s)
	}
	play(t, operations.Config{}, scenes)
}
