// A small backend for a frontend, as one writes it by hand: a copy of each status for 5 s, then the old one while
// one call renews it. A process for each processor, each with copies of its own.
import cluster from 'node:cluster';
import http from 'node:http';
import {availableParallelism} from 'node:os';

const [agent, path, header, agentKey, key] = process.argv.slice(2);
const fresh = 5000, stale = 15 * 60000, timeout = 3000; // ms
const route = /^\/api\/v2\/storefront\/inventory-sources\/([a-z0-9-]+)\/status$/;

if (cluster.isPrimary) {
	const workers = availableParallelism();
	let listening = 0;
	cluster.on('listening', (_, at) => {
		if (++listening === workers) {
			console.error(JSON.stringify({msg: 'serving', address: `127.0.0.1:${at.port}`}));
		}
	});
	for (let n = 0; n < workers; n++) {
		cluster.fork();
	}
	process.on('SIGTERM', () => {
		for (const worker of Object.values(cluster.workers)) {
			worker.process.kill('SIGKILL');
		}
		process.exit();
	});
} else {
	serve();
}

function camel(value) {
	if (Array.isArray(value)) {
		return value.map(camel);
	}
	if (value === null || typeof value !== 'object') {
		return value;
	}
	const out = {};
	for (const [name, member] of Object.entries(value)) {
		out[name.replace(/_([a-z0-9])/g, (_, c) => c.toUpperCase())] = camel(member);
	}
	return out;
}

function serve() {
	const connections = new http.Agent({keepAlive: true, maxSockets: 64});
	const copies = new Map(), calls = new Map(); // by source

	function call(source) {
		return new Promise((resolve, reject) => {
			const ask = http.get(`${agent}${path}/tenants/tnt_${source}/status`,
				{agent: connections, headers: {[header]: agentKey}, signal: AbortSignal.timeout(timeout)}, (answer) => {
					const parts = [];
					answer.on('data', (part) => parts.push(part)).on('error', reject).on('end', () => {
						if (answer.statusCode !== 200) {
							reject(new Error(`status ${answer.statusCode}`));
							return;
						}
						try {
							resolve({body: Buffer.from(JSON.stringify(camel(JSON.parse(Buffer.concat(parts))))), at: Date.now()});
						} catch (err) {
							reject(err);
						}
					});
				});
			ask.on('error', reject);
		});
	}

	// One call of a source at a time, for all who wait.
	function renew(source) {
		let call1 = calls.get(source);
		if (!call1) {
			call1 = call(source).then((copy) => copies.set(source, copy)).finally(() => calls.delete(source));
			calls.set(source, call1);
		}
		return call1;
	}

	http.createServer((request, response) => {
		const source = route.exec(request.url)?.[1];
		const send = (status, body) => {
			response.writeHead(status, {'Content-Type': 'application/json', 'Content-Length': body.length});
			response.end(body);
		};
		if (request.headers.authorization !== `Bearer ${key}`) {
			send(401, '{}');
			return;
		}
		if (!source) {
			send(404, '{}');
			return;
		}
		const copy = copies.get(source), age = copy ? Date.now() - copy.at : Infinity;
		if (age < stale) {
			send(200, copy.body);
			if (age >= fresh) {
				renew(source).catch(() => {});
			}
			return;
		}
		renew(source).then(() => send(200, copies.get(source).body), () => send(502, '{}'));
	}).listen(0, '127.0.0.1');
}
