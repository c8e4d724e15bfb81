// Package operations serves the operations on a source's ad server: advertisers, mappings, products, signals, media buys.
// The sales agent does the work. The gateway checks what callers send, and turns names, errors and answers into those of
// the contract.
//
// There is one table of them, and one way through: a row says how an operation comes from the sales agent,
// api/openapi.yaml what it takes and answers, and package shape turns the one into the other. A request is let in or
// refused by an exchange (admission.go, params.go), waits or is kept as a read or a write (reads.go, writes.go), and
// passes the row (exchange.go), which may have up to three functions of its own (advertisers.go, products.go …). To add
// an operation, see docs/architecture.md.
package operations

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/transform/shape"
)

// Operation is a row of the table. The fields up to Compose are the row itself.
type Operation struct {
	ID    string // its operationId: what it takes and answers is in the contract
	Call  Call
	Group Group
	// Slow: the sales agent waits for somebody else. It has the time of a probe, is not repeated, and no breaker
	// counts how it fails.
	Slow bool
	// Keep is how long an answer may be given again; 0: not at all. Equal questions share one call all the same.
	Keep time.Duration
	// LastGood: an older answer is given while the sales agent does not answer.
	LastGood bool
	Expires  bool     // it may change the status of its source
	Trial    bool     // a POST that changes nothing: no audit, no lock
	Accept   []int    // the sales agent's statuses of success; nil: 200
	Refuses  []string // parameters of the vendor's contract that the sales agent has no counterpart for
	// State is the row that shows what a write changes, which its preconditions are about; "": the connection's own
	// document.
	State string

	// What a row has of its own. All may be nil.
	Check   checking
	Prepare preparing
	Compose composing

	*api.Operation              // of the contract
	answer         *shape.Shape // of its first success with a body; nil: none
	request        *shape.Shape // of its body; nil: none
	path, query    []parameter
}

// Call is the sales agent's operation. Path is below the tenant, with the parameters of the contract's path:
// "signals/{signalId}". The zero Call is none: Prepare answers.
type Call struct{ Method, Path string }

// Group is which sources an operation is for.
type Group uint8

// The groups.
const (
	All     Group = iota
	Catalog       // those that are not deactivated
	GAM           // those on Google Ad Manager
)

// How long answers are kept.
const (
	briefly = 5 * time.Second
	fixed   = time.Minute // what depends on the type of the ad server alone
)

func get(path string) Call  { return Call{http.MethodGet, path} }
func post(path string) Call { return Call{http.MethodPost, path} }
func put(path string) Call  { return Call{http.MethodPut, path} }

var created = []int{http.StatusCreated, http.StatusOK}

const (
	mapping = "buyer-advertiser-mappings/{mappingId}"
	product = "wholesale-products/{productId}"
	signal  = "signals/{signalId}"
)

// table is the table.
var table = []Operation{
	{ID: "listEsaAdapterAdvertisers", Call: get("gam/advertisers"), Keep: briefly, Prepare: dispatchAdvertisers, Compose: composeAdvertisers},
	{ID: "setEsaDefaultAdvertiser", Call: Call{http.MethodPatch, ""}, Group: GAM, Expires: true, Compose: confirmDefaultAdvertiser},
	{ID: "listEsaGamAdvertisers", Call: get("gam/advertisers"), Group: GAM, Keep: briefly},
	{ID: "ensureEsaGamAdvertiser", Call: post("gam/advertisers:ensure"), Group: GAM, Slow: true, Expires: true, Accept: created},
	{ID: "setEsaDefaultGamAdvertiser", Call: Call{http.MethodPatch, ""}, Group: GAM, Expires: true, Compose: confirmDefaultAdvertiser},
	{ID: "listEsaBuyerAdvertiserMappings", Call: get("buyer-advertiser-mappings"), Group: GAM, Keep: briefly},
	{ID: "createEsaBuyerAdvertiserMapping", Call: post("buyer-advertiser-mappings"), Group: GAM, Expires: true, Accept: created, Check: checkNewMapping},
	{ID: "updateEsaBuyerAdvertiserMapping", Call: Call{http.MethodPatch, mapping}, Group: GAM, Expires: true, Prepare: prepareMappingPatch},
	{ID: "deleteEsaBuyerAdvertiserMapping", Call: Call{http.MethodDelete, mapping}, Group: GAM, Expires: true},
	{ID: "listEsaRecentBuyers", Call: get("recent-buyers"), Group: GAM, Keep: briefly},
	{ID: "configureEsaAxeKeys", Group: GAM, Prepare: refuseAXEKeys},
	{ID: "ensureEsaGamCustomTargetingKeys", Group: GAM, Prepare: ensureTargetingKeys},
	{ID: "getEsaSandboxAccountStatus", Call: get("accounts"), Keep: briefly, Prepare: askSandboxAccounts, Compose: composeSandboxAccount},
	{ID: "ensureEsaSandboxAccount", Call: get("accounts"), Expires: true, Prepare: ensureSandboxAccount, Compose: composeSandboxAccount},

	{ID: "getEsaInventoryAdapterCapabilities", Call: get("inventory/adapter-capabilities"), Group: Catalog, Keep: fixed, LastGood: true},
	{ID: "listEsaPublisherProperties", Call: get("inventory/publisher-properties"), Group: Catalog, Keep: 30 * time.Second},
	{ID: "searchEsaAdServerSelectors", Call: get("inventory/selectors"), Group: Catalog, Keep: briefly, Refuses: []string{"mediaType", "environmentType"}},
	{ID: "listEsaCreativeFormats", Call: get("creative-formats"), Group: Catalog, Slow: true, Keep: 5 * time.Minute, LastGood: true},
	{ID: "listEsaProducts", Call: get("wholesale-products"), Group: Catalog, Keep: briefly},
	{ID: "createEsaProduct", Call: post("wholesale-products"), Group: Catalog, Slow: true, Expires: true, Accept: created, Check: checkProduct},
	{ID: "validateEsaProduct", Call: post("wholesale-products:validate"), Group: Catalog, Slow: true, Trial: true, Check: checkProduct, Compose: composeProductVerdict},
	{ID: "getEsaProduct", Call: get(product), Group: Catalog, Keep: briefly, Compose: composeDraft},
	{ID: "updateEsaProduct", Call: put(product), Group: Catalog, Slow: true, Expires: true, State: "getEsaProduct", Check: checkProduct},
	{ID: "patchEsaProduct", Call: put(product), Group: Catalog, Slow: true, Expires: true, State: "getEsaProduct", Check: checkProductID, Prepare: preparePatch},
	{ID: "deleteEsaProduct", Call: Call{http.MethodDelete, product}, Group: Catalog, Expires: true, State: "getEsaProduct"},

	{ID: "getEsaSignalAdapterCapabilities", Call: get("signals/adapter-capabilities"), Group: Catalog, Keep: fixed, LastGood: true},
	{ID: "listEsaSignalCandidates", Call: get("signals/candidates"), Group: Catalog, Slow: true},
	{ID: "listEsaSignals", Call: get("signals"), Group: Catalog, Keep: briefly},
	{ID: "createEsaSignal", Call: post("signals"), Group: Catalog, Accept: created, Check: checkSignal, Prepare: prepareSignal, Compose: composeSignalVerdict},
	{ID: "getEsaSignal", Call: get(signal), Group: Catalog, Keep: briefly},
	{ID: "updateEsaSignal", Call: put(signal), Group: Catalog, State: "getEsaSignal", Check: checkSignal, Prepare: prepareSignal, Compose: composeSignalVerdict},
	{ID: "deleteEsaSignal", Call: Call{http.MethodDelete, signal}, Group: Catalog, State: "getEsaSignal"},

	{ID: "listEsaMediaBuys", Call: get("media-buys"), Keep: briefly, Check: daysInOrder},
	{ID: "getEsaMediaBuy", Call: get("media-buys/{mediaBuyId}"), Keep: briefly},
}

// Table gives the table.
func Table() []*Operation { return rows }

var rows = func() (all []*Operation) {
	for i := range table {
		table[i].read(api.Operations()[table[i].ID])
		all = append(all, &table[i])
	}
	return all
}()

// read reads what the contract says of a row.
func (o *Operation) read(spec *api.Operation) {
	if spec == nil {
		panic("operations: the contract has no " + o.ID)
	}
	o.Operation = spec
	o.path, o.query = parametersOf(spec, "path"), parametersOf(spec, "query")
	if o.Body != nil {
		o.request = shape.Of(o.Body)
	}
	if schema := o.Successes[len(o.Successes)-1].Schema; schema != nil {
		o.answer = shape.Of(schema)
	}
}

// row gives the row of an operation.
func row(id string) *Operation {
	return rows[slices.IndexFunc(rows, func(o *Operation) bool { return o.ID == id })]
}

// daysInOrder holds that a search does not end before it begins.
func daysInOrder(x *exchange) []fault.Issue {
	if from, to := x.query.Get("from_date"), x.query.Get("to_date"); to == "" || from <= to {
		return nil
	}
	return []fault.Issue{{Path: "query.toDate", Message: "toDate is before fromDate."}}
}

// segments gives the path of the call below the tenant. vars are the parameters of the contract's path, unescaped.
func (c Call) segments(vars map[string]string) []string {
	if c.Path == "" {
		return nil
	}
	segments := strings.Split(c.Path, "/")
	for i, segment := range segments {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			segments[i] = vars[strings.TrimSuffix(name, "}")]
		}
	}
	return segments
}
