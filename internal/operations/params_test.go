package operations_test

import (
	"encoding/base64"
	"strings"
	"testing"
)

// TestParameters goes through what can be wrong with parameters, and what they become.
func TestParameters(t *testing.T) {
	const cursor = "400 query.cursor: cursor must be the nextCursor of an earlier page."
	encode := base64.URLEncoding.EncodeToString
	inWorld(t, func(w *world) {
		for _, c := range []struct{ operation, query, want string }{
			{"listEsaMediaBuys", "", "limit=50"},
			{"listEsaMediaBuys", "limit=100&principal_id=p+1", "limit=100&principal_id=p+1"},
			{"listEsaMediaBuys", "principalId=a&principal_id=a", "400 query.principalId: principalId is given in two spellings."},
			{"listEsaMediaBuys", "status=a&status=a", "400 query.status: status is given more than once."},
			{"listEsaMediaBuys", "limit=0", "400 query.limit: limit must be a whole number from 1 to 100."},
			{"listEsaMediaBuys", "limit=101", "400 query.limit: limit must be a whole number from 1 to 100."},
			{"listEsaMediaBuys", "limit=+5", "400 query.limit: limit must be a whole number from 1 to 100."},
			{"listEsaMediaBuys", "limit=", "400 query.limit: limit must be a whole number from 1 to 100."},
			{"listEsaMediaBuys", "limit=007", "limit=7"},
			{"listEsaMediaBuys", "status=", "400 query.status: status can't be empty."},
			{"listEsaMediaBuys", "status=" + strings.Repeat("é", 50), "limit=50&status=" + strings.Repeat("%C3%A9", 50)},
			{"listEsaMediaBuys", "status=" + strings.Repeat("é", 51), "400 query.status: status is longer than 50 characters."},
			{"listEsaMediaBuys", "status=%00", "400 query.status: status must be text in UTF-8, without the character U+0000."},
			{"listEsaMediaBuys", "status=%ff", "400 query.status: status must be text in UTF-8, without the character U+0000."},
			{"listEsaMediaBuys", "status=%zz", "400 query: The query string is not properly encoded."},
			{"listEsaMediaBuys", "fromDate=2026-02-30", "400 query.fromDate: fromDate must be a day that exists, as 2026-11-30."},
			{"listEsaMediaBuys", "fromDate=0000-12-24", "400 query.fromDate: fromDate must be a day that exists, as 2026-11-30."},
			{"listEsaMediaBuys", "fromDate=yesterday", "400 query.fromDate: fromDate must be a day that exists, as 2026-11-30."},
			{"listEsaMediaBuys", "from_date=2026-02-03T10:00:00Z", "from_date=2026-02-03&limit=50"},
			{"listEsaMediaBuys", "fromDate=2026-02-03&toDate=2026-02-02", "400 query.toDate: toDate is before fromDate."},
			{"listEsaMediaBuys", "cursor=" + encode([]byte(`{"created_at":"2026-01-01","id":7}`)), "cursor=eyJjcmVhdGVkX2F0IjoiMjAyNi0wMS0wMSIsImlkIjo3fQ%3D%3D&limit=50"},
			{"listEsaMediaBuys", "cursor=" + encode([]byte(`[1]`)), cursor},
			{"listEsaMediaBuys", "cursor=" + encode([]byte(`{"a":"`+strings.Repeat("x", 800)+`"}`)), cursor},
			{"listEsaMediaBuys", "cursor=", cursor},
			{"listEsaMediaBuys", "limit=0&cursor=x&frob=1&fromDate=1", "400 query: There is a query parameter that this operation does not know. " +
				"query.cursor: cursor must be the nextCursor of an earlier page. query.fromDate: fromDate must be a day that exists, as 2026-11-30. query.limit: limit must be a whole number from 1 to 100."},
			{"listEsaGamAdvertisers", "q=", "limit=50"},
			{"listEsaGamAdvertisers", "q=a&query=a", "400 query.query: query and q are two names of one parameter."},
			{"listEsaGamAdvertisers", "q=&query=a", "400 query.query: query and q are two names of one parameter."},
			{"listEsaGamAdvertisers", "query=a+b", "limit=50&q=a+b"},
			{"listEsaGamAdvertisers", "q=" + strings.Repeat("x", 256), "400 query.q: q is longer than 255 characters."},
			{"listEsaGamAdvertisers", "limit=500&cursor=" + strings.TrimRight(encode([]byte(`{"offset":50}`)), "="), "cursor=eyJvZmZzZXQiOjUwfQ&limit=500"},
			{"listEsaGamAdvertisers", "cursor=" + encode([]byte(`{"offset":"50"}`)), cursor},
			{"listEsaGamAdvertisers", "cursor=" + encode([]byte(`{"offset":-1}`)), cursor},
			{"listEsaGamAdvertisers", "cursor=" + encode([]byte(`{"offset":1000000000}`)), cursor},
			{"listEsaGamAdvertisers", "cursor=" + encode([]byte(`{"offset":1,"offset":2}`)), cursor},
			{"listEsaGamAdvertisers", "cursor=" + encode([]byte(`{"other":1}`)), cursor},
			{"searchEsaAdServerSelectors", "", "400 query.selectorType: selectorType is required."},
			{"searchEsaAdServerSelectors", "selectorType=a&media_type=x&environmentType=y",
				"400 query.environmentType: environmentType is not supported by this sales agent. query.mediaType: mediaType is not supported by this sales agent."},
			{"searchEsaAdServerSelectors", "selectorType=a&cursor=1e3", cursor},
			{"searchEsaAdServerSelectors", "selectorType=a&cursor=999999999", "cursor=999999999&limit=50&selector_type=a"},
			{"listEsaRecentBuyers", "days=366&limit=1001", "400 query.days: days must be a whole number from 1 to 365. query.limit: limit must be a whole number from 1 to 1000."},
			{"listEsaCreativeFormats", "asset_type=image&asset_type=html&q=x", "asset_type=image&asset_type=html&q=x"},
			{"listEsaCreativeFormats", "assetType=image&asset_type=html", "400 query.assetType: assetType is given in two spellings."},
			{"listEsaCreativeFormats", strings.Repeat("assetType=a&", 21), "400 query.assetType: assetType is given more than 20 times."},
			{"listEsaSignals", "limit=5", "400 query: There is a query parameter that this operation does not know."},
		} {
			_, _, err := w.do(c.operation, w.request("coast", c.query, ""))
			got := told(err)
			if calls := w.calls(); len(calls) == 1 { // `{}` is no answer to any of them
				_, got, _ = strings.Cut(calls[0], "?")
			}
			if got != c.want {
				t.Errorf("%s?%s\ngives %s\nwant  %s", c.operation, c.query, got, c.want)
			}
		}
	})
}
