package wire

// AdapterConfig is the part of `GET T/adapter-config` that is no secret. The
// fields that hold or stand for credentials are not read at all.
type AdapterConfig struct {
	Type                string
	Configured          bool
	NetworkCode         Opt[string]
	ServiceAccountEmail Opt[string]
}

// Tenant is the part of `GET T` that the gateway follows.
type Tenant struct {
	TenantID      string
	ExternalOrgID Opt[string]
	IsActive      Opt[bool]
}
