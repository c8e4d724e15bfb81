vcl 4.1;

backend agent {
	.host = "{{.AgentHost}}";
	.port = "{{.AgentPort}}";
	.connect_timeout = 1s;
	.first_byte_timeout = 3s;
}

sub vcl_recv {
	if (req.http.Authorization != "Bearer {{.Key}}") {
		return (synth(401));
	}
	if (req.url !~ "^/api/v2/storefront/inventory-sources/[a-z0-9-]+/status$") {
		return (synth(404));
	}
	unset req.http.Authorization;
	set req.url = regsub(req.url, "^/api/v2/storefront/inventory-sources/([a-z0-9-]+)/status$", "{{.AgentPath}}/tenants/tnt_\1/status");
	return (hash);
}

sub vcl_backend_fetch {
	set bereq.http.{{.AgentHeader}} = "{{.AgentKey}}";
}

# Varnish renames nothing: it passes the sales agent's own document on.
sub vcl_backend_response {
	if (beresp.status == 200) {
		unset beresp.http.Cache-Control;
		set beresp.ttl = 5s;
		set beresp.grace = 15m;
		return (deliver);
	}
	if (bereq.is_bgfetch) {
		return (abandon);
	}
	set beresp.ttl = 0s;
	set beresp.uncacheable = true;
}
