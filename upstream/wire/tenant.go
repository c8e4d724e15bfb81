package wire

// AdapterConfig is the part of `GET T/adapter-config` that is no secret. The
// fields that hold or stand for credentials are not read at all.
type AdapterConfig struct {
	Type                string
	Configured          bool
	NetworkCode         Opt[string]
	ServiceAccountEmail Opt[string]
}

// Tenant is the part of `GET T`, of an entry of `GET /tenants` and of the answers to
// `POST T/deactivate` and `T/reactivate` that the gateway follows.
type Tenant struct {
	TenantID       string
	ExternalOrgID  Opt[string]
	ExternalSource Opt[string]
	IsActive       Opt[bool]
	CreatedAt      Time
}

// DecodeTenant reads a tenant's document. It needs tenant_id, a string. The error is
// always an [*InvalidError].
func DecodeTenant(body []byte) (*Tenant, error) {
	t := new(Tenant)
	switch err := object(body, t.member); {
	case err != nil:
		return nil, err
	case t.TenantID == "":
		return nil, &InvalidError{"it has no tenant_id"}
	}
	return t, nil
}

// member reads one member of a tenant; an unusable tenant_id is "".
func (t *Tenant) member(r *reader, name []byte) {
	switch string(name) {
	case "tenant_id":
		r.id(&t.TenantID, "tenant_id")
	case "external_org_id":
		r.text(&t.ExternalOrgID, "external_org_id")
	case "external_source":
		r.text(&t.ExternalSource, "external_source")
	case "is_active":
		r.flag(&t.IsActive, "is_active")
	case "created_at":
		r.time(&t.CreatedAt, "created_at")
	default:
		r.skip()
	}
}

// DecodeProvisioned reads the answer to `POST /tenants/provision`. It needs
// tenant_id, a string. The error is always an [*InvalidError].
func DecodeProvisioned(body []byte) (*Provisioned, error) {
	p := new(Provisioned)
	err := object(body, func(r *reader, name []byte) {
		switch string(name) {
		case "tenant_id":
			r.id(&p.TenantID, "tenant_id")
		case "mcp_url":
			r.text(&p.MCPURL, "mcp_url")
		case "a2a_url":
			r.text(&p.A2AURL, "a2a_url")
		default: // initial_principal with its access token among them
			r.skip()
		}
	})
	switch {
	case err != nil:
		return nil, err
	case p.TenantID == "":
		return nil, &InvalidError{"it has no tenant_id"}
	}
	return p, nil
}
