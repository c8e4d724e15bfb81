package upstreamtest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Fill puts n more tenants before all others in GET /tenants, of about 400 bytes
// each and whatever source is asked for. They are made while they are sent, and
// stand nowhere else.
func (a *Agent) Fill(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fillers = max(n, 0)
}

// list gives the tenants, newest first, those made at one instant by id. There are
// no pages: all of them come in one answer.
func (a *Agent) list(q url.Values) answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]*held, 0, len(a.tenants))
	for _, t := range a.tenants {
		if t.listed(q) {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(x, y *held) int {
		if c := y.since.Compare(x.since); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	out := tenantList{Tenants: make([]tenantSummary, 0, len(all)), Count: len(all)}
	for _, t := range all {
		out.Tenants = append(out.Tenants, t.summary())
	}
	if a.fillers == 0 {
		return ok(out)
	}
	return answer{status: http.StatusOK, contentType: contentJSON, stream: out.behind(a.fillers, q.Get("external_source"))}
}

// listed reports whether the list's filters let a tenant through.
func (t *held) listed(q url.Values) bool {
	if s := q.Get("external_source"); s != "" && s != t.ExternalSource {
		return false
	}
	if s := q.Get("is_active"); s != "" && (s == "true") != t.Active {
		return false
	}
	for _, name := range []string{"is_embedded", "managed_externally"} {
		if s := q.Get(name); s != "" && s != "true" {
			return false
		}
	}
	return true
}

// behind gives the list with n fillers before it.
func (l tenantList) behind(n int, source string) func(send func([]byte)) {
	if source == "" {
		source = storefront
	}
	return func(send func([]byte)) {
		var buf bytes.Buffer
		buf.WriteString(`{"tenants":[`)
		for i := range n {
			id := fmt.Sprintf("tenant_filler_%08d", i)
			buf.Write(bytes.TrimSpace(encode(tenantSummary{
				TenantID: id, Name: "Filler " + id, ExternalOrgID: orNull("filler-org-" + id), ExternalSource: orNull(source),
				IsEmbedded: true, ManagedExternally: true, IsActive: true, BillingPlan: "standard", CreatedAt: "2026-01-01T00:00:00Z",
			})))
			if i < n-1 || len(l.Tenants) > 0 {
				buf.WriteByte(',')
			}
			if buf.Len() > 32<<10 {
				send(buf.Bytes())
				buf.Reset()
			}
		}
		for i, t := range l.Tenants {
			if i > 0 {
				buf.WriteByte(',')
			}
			buf.Write(bytes.TrimSpace(encode(t)))
		}
		fmt.Fprintf(&buf, `],"count":%d}`+"\n", n+len(l.Tenants))
		send(buf.Bytes())
	}
}
