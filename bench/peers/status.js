// What nginx answers: the sales agent's document with its members in camelCase.
function camel(value) {
	if (Array.isArray(value)) {
		return value.map(camel);
	}
	if (value === null || typeof value !== 'object') {
		return value;
	}
	const out = {};
	Object.keys(value).forEach((name) => {
		out[name.replace(/_([a-z0-9])/g, (_, c) => c.toUpperCase())] = camel(value[name]);
	});
	return out;
}

async function get(r) {
	const reply = await r.subrequest('/agent' + r.uri);
	if (reply.status !== 200) {
		r.return(502);
		return;
	}
	r.headersOut['Content-Type'] = 'application/json';
	r.return(200, JSON.stringify(camel(JSON.parse(reply.responseText))));
}

export default {get};
