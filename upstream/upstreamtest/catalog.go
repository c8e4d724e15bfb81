package upstreamtest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"esagate/api"
)

// catalog is what a tenant sells, whom it sells to, and what its ad server has.
type catalog struct {
	products, signals, buys shelf
	mappings, accounts      shelf
	buyers                  shelf
	ensured                 shelf // advertisers that were made here
	stocked                 bool  // the stock was put on the shelves

	publisher  publisher
	serverType string // that atServer is of
	atServer   server
}

// operation is one that reads or changes a catalog.
type operation struct {
	body     string                // the operation of the contract whose body it takes; "": none
	fields   []field               // of its body, where no operation of the contract takes it
	does     func(*inquiry) answer // a.mu is held
	noTenant func(*inquiry) answer // what is said of a tenant that is not known; nil: that
}

// operations are the operations on catalogs.
var operations = map[Route]operation{
	RouteProducts:        {does: listProducts},
	RouteCreateProduct:   {does: createProduct, body: "createEsaProduct"},
	RouteProduct:         {does: getProduct},
	RoutePutProduct:      {does: putProduct, body: "createEsaProduct"},
	RouteDeleteProduct:   {does: deleteProduct},
	RouteValidateProduct: {does: validateProduct, body: "createEsaProduct"},
	RouteSignals:         {does: listSignals},
	RouteCreateSignal:    {does: createSignal, body: "createEsaSignal"},
	RouteSignal:          {does: getSignal},
	RoutePutSignal:       {does: putSignal, body: "createEsaSignal"},
	RouteDeleteSignal:    {does: deleteSignal},
	RouteValidateSignal:  {does: validateSignal, body: "createEsaSignal"},

	RouteAdvertisers:      {does: listAdvertisers},
	RouteEnsureAdvertiser: {does: ensureAdvertiser, body: "ensureEsaGamAdvertiser"},
	RouteMappings:         {does: listMappings},
	RouteCreateMapping:    {does: createMapping, body: "createEsaBuyerAdvertiserMapping"},
	RoutePatchMapping:     {does: patchMapping, body: "updateEsaBuyerAdvertiserMapping", noTenant: noMapping},
	RouteDeleteMapping:    {does: deleteMapping, noTenant: noMapping},
	RouteAccounts:         {does: listAccounts},
	RouteSaveAccount:      {does: saveAccount, fields: accountFields},
	RoutePatchTenant:      {does: patchTenant, fields: tenantFields},

	RouteCreativeFormats:       {does: listFormats},
	RouteInventoryCapabilities: {does: inventoryCapabilities},
	RouteProperties:            {does: listProperties},
	RouteSelectors:             {does: listSelectors},
	RouteMediaBuys:             {does: listBuys},
	RouteMediaBuy:              {does: getBuy},
	RouteRecentBuyers:          {does: listBuyers},
	RouteSignalCapabilities:    {does: signalCapabilities},
	RouteCandidates:            {does: listCandidates},
}

// inquiry is a call of such an operation.
type inquiry struct {
	call
	*catalog
	query url.Values
	now   time.Time
	owner *tenantState
	agent *Agent
	conn  conn
}

// operate answers one. As upstream does, it checks the body before it looks for the tenant, and text that its
// database can't hold ends in a crash.
func (a *Agent) operate(r *http.Request, c call, l conn, op operation) answer {
	q := &inquiry{call: c, query: r.URL.Query(), now: a.opts.Now(), agent: a, conn: l}
	if !json.Valid(c.body) || !strings.Contains(r.Header.Get("Content-Type"), "json") {
		q.body = []byte("{}")
	}
	if s := bodyOf(op.body); s != nil {
		known, found := a.opts.read(q.body, s)
		if found != nil {
			return invalid(found)
		}
		q.body = known
	} else if op.fields != nil {
		known, found := a.opts.check(nil, q.body, op.fields)
		if found != nil {
			return invalid(found)
		}
		q.body = encode(known)
	}
	if q.unstorable() {
		return crash(http.StatusInternalServerError, "internal_error")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance()
	switch q.owner = a.tenants[c.tenant]; {
	case q.owner == nil && op.noTenant != nil:
		return op.noTenant(q)
	case q.owner == nil:
		return noTenant(c.tenant)
	}
	q.open()
	return op.does(q)
}

// unstorable reports whether U+0000 stands anywhere in the call.
func (q *inquiry) unstorable() bool {
	for _, values := range q.query {
		if strings.Contains(strings.Join(values, ""), "\x00") {
			return true
		}
	}
	if strings.Contains(q.tenant+q.part, "\x00") {
		return true
	}
	if !bytes.Contains(q.body, []byte(`\u0000`)) {
		return false
	}
	for d := json.NewDecoder(bytes.NewReader(q.body)); ; {
		switch token, err := d.Token(); text := token.(type) {
		case string:
			if strings.Contains(text, "\x00") {
				return true
			}
		default:
			if err != nil {
				return false
			}
		}
	}
}

// full is the answer to a write for which there is no room.
func full() answer {
	return problem(http.StatusBadRequest, "limit_reached", "There is no room for more.", nil)
}

func says200(body []byte) answer {
	return answer{status: http.StatusOK, contentType: contentJSON, body: body}
}

// gives answers a read with a document that is kept.
func (q *inquiry) gives(status int, doc json.RawMessage, s *api.Schema) answer {
	return answer{status: status, contentType: contentJSON, body: append(complete(doc, s, q.owner.Status.Build), '\n')}
}

// gone is the answer to a removal.
func gone(message string) answer {
	return ok(struct {
		Success bool   `json:"success"`
		Message string `json:"message"`
	}{true, message})
}
