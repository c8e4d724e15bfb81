package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"reflect"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"esagate/gateway"
	"esagate/internal/agentauth"
	"esagate/internal/auth"
	"esagate/internal/background"
	"esagate/internal/cluster"
	"esagate/internal/config"
	"esagate/internal/events"
	"esagate/internal/lifecycle"
	"esagate/internal/operations"
	"esagate/internal/outbound"
	"esagate/internal/ratelimit"
	"esagate/internal/serviceaccount"
	"esagate/internal/telemetry"
	"esagate/internal/vault"
	"esagate/internal/webhooks"
	"esagate/registry"
	"esagate/registry/sqlstore"
	"esagate/snapshot"
	"esagate/status"
	"esagate/transform"
	"esagate/upstream"
)

// app is a gateway with all that it stands on.
type app struct {
	cfg         *config.Config
	file        string // that cfg was read from
	telemetry   *telemetry.Telemetry
	instruments *telemetry.Instruments
	store       *sqlstore.Store
	directory   *registry.Directory
	upstream    *upstream.Client
	auth        *auth.Authenticator
	limiter     *ratelimit.Limiter
	subscriber  *webhooks.Subscriber
	lifecycle   *lifecycle.Lifecycle
	events      *events.Hub
	usable      int64          // bytes of memory
	redis       *cluster.Redis // nil: replicas share none
	hints       *cluster.Hints // nil: there are none
	status      atomic.Pointer[status.Service]
	gateway     *gateway.Gateway

	work    *background.Group       // beside the requests
	leads   atomic.Bool             // this replica does the work of all
	answers atomic.Bool             // it is about to tell another of an outage
	ends    []func(context.Context) // take the parts down: the last one comes first
}

// build makes every part from a config of a file that has no faults. What it returns on
// an error has been taken down again.
func build(ctx context.Context, cfg *config.Config, file string, tasks *transform.Tasks, logs io.Writer) (a *app, err error) {
	a = &app{cfg: cfg, file: file, events: events.NewHub(), usable: mayUse(os.DirFS("/"))}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if err = a.startTelemetry(ctx, logs); err != nil {
		return a, err
	}
	if err = a.openRedis(); err != nil {
		return a, err
	}
	var secrets *vault.Vault
	if a.store, secrets, err = openStore(ctx, cfg); err != nil {
		return a, err
	}
	a.instruments.StorePools(func() map[string]sql.DBStats { return sqlstore.Pools(a.store) })
	a.atEnd(func(context.Context) { _ = a.store.Close() }) // nothing is left to be written
	a.newHints()
	memory, _ := snapshotMemory(cfg.Snapshot, a.usable)
	a.directory = registry.NewDirectory(a.store, registry.DirectoryOptions{
		Bytes: memory, Follow: true, Changed: a.storeChanged, SourceWritten: a.sourceWritten, ChangedElsewhere: a.writtenElsewhere,
	})
	a.atEnd(func(context.Context) { a.directory.Close() })
	if err = a.adopt(ctx); err != nil {
		return a, err
	}
	if err = a.newUpstream(); err != nil {
		return a, err
	}
	a.atEnd(func(context.Context) { a.upstream.Close() })
	a.auth, err = auth.New(ctx, authConfig(cfg), auth.Deps{
		Store: a.store.APIKeys(), Sealer: secrets, Logger: a.telemetry.Logger, IssuerFetched: a.instruments.IssuerFetched,
	})
	if err != nil {
		return a, err
	}
	a.newLimiter()
	a.atEnd(a.auth.Close) // before the store: it writes down when keys were used
	accounts, err := serviceaccount.New(cfg.ServiceAccounts)
	if err != nil {
		return a, err
	}
	a.newEdge(tasks, accounts)
	if a.redis != nil {
		<-a.redis.Tried()
	}
	return a, nil
}

func (a *app) atEnd(end func(context.Context)) { a.ends = append(a.ends, end) }

func (a *app) startTelemetry(ctx context.Context, logs io.Writer) (err error) {
	a.telemetry, err = telemetry.Start(ctx, telemetry.Config{
		LogFormat: a.cfg.Telemetry.LogFormat, LogLevel: a.cfg.Telemetry.LogLevel,
		OTLPEndpoint: a.cfg.Telemetry.OTLPEndpoint, TraceRatio: a.cfg.Telemetry.TraceRatio, Version: version,
	}, logs)
	if err != nil {
		return fmt.Errorf("telemetry: %w", err)
	}
	a.atEnd(func(ctx context.Context) { _ = a.telemetry.Shutdown(ctx) }) // spans that can't be delivered are lost
	takeStandardLog(a.telemetry.Logger)
	a.work = background.NewGroup(a.telemetry.Logger)
	for _, w := range a.cfg.Warnings {
		a.telemetry.Logger.Warn("the config is good, but", slog.String("note", w))
	}
	if a.instruments, err = telemetry.NewInstruments(a.telemetry.MeterProvider); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	a.instruments.Build(version, cmp.Or(builtFrom(), "unknown"), runtime.Version())
	return nil
}

// newUpstream makes the client of the sales agent. It may report a recovery at once; the
// status service, which acts on it, is made later.
func (a *app) newUpstream() (err error) {
	cfg := a.cfg.Upstream
	a.upstream, err = upstream.New(upstream.Config{
		BaseURL: cfg.BaseURL, APIKey: cfg.APIKey.Reveal(), Attempts: cfg.Attempts,
		Timeout: cfg.Timeout, FetchTimeout: cfg.FetchTimeout, ProbeTimeout: cfg.ProbeTimeout, Concurrency: cfg.Concurrency,
		Breaker: upstream.BreakerConfig(cfg.Breaker),
	}, upstream.Deps{
		Logger: a.telemetry.Logger, MeterProvider: a.telemetry.MeterProvider,
		TracerProvider: a.telemetry.TracerProvider, Propagator: a.telemetry.Propagator,
		OnRecover: func(tenantID string) {
			if s := a.status.Load(); s != nil {
				s.Recovered(tenantID)
			}
		},
		OnOutage: a.upstreamChanged,
		OnCall:   a.instruments.Recent.Call,
	})
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	return nil
}

// newEdge makes the parts that change tenants, hear of them and answer requests.
func (a *app) newEdge(tasks *transform.Tasks, accounts *serviceaccount.Accounts) {
	cfg, log := a.cfg, a.telemetry.Logger
	a.newLifecycle(accounts)
	guard := outbound.New(outbound.Options{Allow: cfg.Outbound.Allow, UserAgent: "esagate/" + version})
	agents := agentauth.New(agentauth.Config{RedirectURI: cfg.Server.PublicURL + "/oauth/callback", ClientName: "esagate"},
		agentauth.Deps{
			Store: a.store, Directory: a.directory, HTTP: guard.HTTP(), Direct: guard.HTTPDirect(),
			CheckURL: guard.CheckURL, Logger: log,
		})
	_, memory := snapshotMemory(cfg.Snapshot, a.usable)
	limits := snapshot.Limits{
		Fresh: cfg.Snapshot.Fresh, StaleWhileRevalidate: cfg.Snapshot.StaleWhileRevalidate,
		StaleIfError: cfg.Snapshot.StaleIfError, Patience: cfg.Snapshot.Patience,
		Timeout: cfg.Upstream.Timeout, FetchTimeout: cfg.Upstream.FetchTimeout,
	}
	statuses := status.New(status.Config{
		Envelope: cfg.Server.Envelope, Subscribes: cfg.Webhooks.Subscribe != "never", Limits: limits, Memory: memory,
		Waiting: cfg.Server.MaxConnections / 2,
	}, status.Deps{
		Directory: a.directory, Upstream: a.upstream, Tasks: tasks, SyncFinished: a.subscriber.Observe,
		CheckTenant: a.lifecycle.CheckSoon, Logger: log, Instruments: a.instruments, Events: a.events,
		Redis: a.redis, Hints: a.hints,
	})
	adServers := operations.New(operations.Config{
		Envelope: cfg.Server.Envelope, Limits: limits, ProbeTimeout: cfg.Upstream.ProbeTimeout, Sandbox: operations.Sandbox(cfg.Sandbox),
	}, operations.Deps{
		Directory: a.directory, Upstream: a.upstream, Status: statuses, Lifecycle: a.lifecycle, Logger: log, Instruments: a.instruments,
	})
	a.status.Store(statuses)
	toSalesAgent := upstream.NewPassing()
	a.gateway = gateway.New(gateway.Config{
		PublicURL: cfg.Server.PublicURL, StorefrontURL: cfg.Server.StorefrontURL, Envelope: cfg.Server.Envelope, AllowedOrigins: cfg.Server.AllowedOrigins,
		ConsoleURL: cfg.Server.ConsoleURL, AdminURL: cfg.Upstream.Admin(), AgentURL: cfg.Upstream.Agent(),
		IdentityKey: cfg.Upstream.IdentityKey.Reveal(), ExternalSource: cfg.Provisioning.ExternalSource, Agents: agentsConfig(cfg.Agents),
		ProbeTimeout: cfg.Upstream.ProbeTimeout, TrustedProxies: cfg.Server.Proxies(),
		Admin: cfg.Server.AdminAddress != "", MaxConnections: cfg.Server.MaxConnections,
		MaxConnectionsPerAddress: cfg.Server.MaxConnectionsPerAddress,
	}, gateway.Deps{
		Directory: a.directory, Auth: a.auth, Limiter: a.limiter, Agents: agents, CheckURL: guard.CheckURL, Upstream: a.upstream,
		Proxies:    gateway.NewProxies(toSalesAgent, guard.Passing(), agentsConfig(cfg.Agents)),
		Operations: adServers, Status: statuses, Events: a.events, Redis: a.redis, Lifecycle: a.lifecycle, Subscriber: a.subscriber, ServiceAccount: accounts.Email,
		Receiver: webhooks.NewReceiver(webhooks.ReceiverDeps{
			Directory: a.directory, Logger: log,
			Counted: func(o webhooks.Outcome) { a.instruments.Delivery(string(o)) },
		}),
		Logger: log, Instruments: a.instruments, TracerProvider: a.telemetry.TracerProvider,
		Propagator: a.telemetry.Propagator, MetricsHandler: a.telemetry.MetricsHandler,
	})
	a.atEnd(func(context.Context) { guard.Close(); toSalesAgent.Close() })
	a.atEnd(agents.Close)
	// Giving the lease back takes longer while the store is away; it runs out by itself.
	a.atEnd(func(ctx context.Context) { _ = a.work.Close(ctx) })
	a.atEnd(statuses.Close) // documents that it can't save are fetched after the next start
	a.atEnd(func(context.Context) { a.subscriber.Close() })
	a.atEnd(a.lifecycle.Close) // an operation that it can't finish is settled at the next start
	a.atEnd(adServers.Close)   // before the lifecycle, which expires what its writes changed
	a.atEnd(func(context.Context) { a.work.End() })
}

func agentsConfig(from config.Agents) gateway.AgentsConfig {
	return gateway.AgentsConfig{Named: from.Proxy == "on", FirstByte: from.FirstByte, Idle: from.Idle, Streams: from.Streams,
		Allow: from.Allow, Deny: from.Deny}
}

// newLimiter makes the limits, which replicas have in common where they share a Redis.
func (a *app) newLimiter() {
	if a.redis == nil {
		a.limiter = ratelimit.New(limitsOf(a.cfg))
		return
	}
	a.limiter = ratelimit.NewShared(limitsOf(a.cfg), ratelimit.OnRedis(a.redis), a.telemetry.Logger)
	a.atEnd(a.limiter.Close)
}

func limitsOf(cfg *config.Config) ratelimit.Limits {
	l := cfg.Limits
	return ratelimit.Limits{
		Reads: ratelimit.Limit(l.Reads), Writes: ratelimit.Limit(l.Writes), WrongKeys: ratelimit.Limit(l.WrongKeys),
	}
}

func authConfig(cfg *config.Config) auth.Config {
	keys := make([]auth.Key, len(cfg.Auth.Keys))
	for i, k := range cfg.Auth.Keys {
		keys[i] = auth.Key(k)
	}
	return auth.Config{Keys: keys, OIDC: oidcConfig(cfg)}
}

// oidcConfig says whose access tokens are good, and how people sign in there; nil: nobody's.
func oidcConfig(cfg *config.Config) *auth.OIDC {
	from := cfg.Auth.OIDC
	if from == nil {
		return nil
	}
	to := &auth.OIDC{Issuer: from.Issuer, Audience: from.Audience, CustomerClaim: from.CustomerClaim, AccessClaim: from.AccessClaim}
	if from.ClientID != "" {
		to.Client = &auth.Client{ID: from.ClientID, Secret: from.ClientSecret, Scopes: from.Scopes,
			RedirectURI: cfg.Server.PublicURL + gateway.CallbackPath}
		if from.AudienceParameter != "none" {
			to.Client.AudienceParameter = from.AudienceParameter
		}
	}
	return to
}

// adopt records the config's sources in the registry, in batches.
func (a *app) adopt(ctx context.Context) error {
	taken := 0
	for from := 0; from < len(a.cfg.Sources); from += sqlstore.AdoptedAtOnce {
		batch := a.cfg.Sources[from:min(from+sqlstore.AdoptedAtOnce, len(a.cfg.Sources))]
		done, err := a.store.AdoptAll(ctx, batch)
		for i, adoption := range done {
			a.adopted(batch[i], adoption)
			if adoption.Managed != nil {
				taken++
			}
		}
		path := fmt.Sprintf("sources[%d]", from+len(done))
		switch {
		case errors.Is(err, registry.ErrTenantTaken):
			return configError{a.file, config.Faults{a.cfg.FaultAt(path+".tenant_id", "the registry knows this tenant as another source's")}}
		case errors.Is(err, registry.ErrIDTaken):
			return configError{a.file, config.Faults{a.cfg.FaultAt(path+".esa_id", "the registry knows this id as another source's")}}
		case err != nil:
			return fmt.Errorf("store: %s: %w", path, err)
		}
	}
	a.telemetry.Logger.Info("sources of the config taken over", slog.Int("entries", taken))
	return nil
}

// adopted says what became of an entry of the config, and has the directory know its source.
func (a *app) adopted(s registry.ConfigSource, adoption registry.Adoption) {
	a.telemetry.Logger.Debug("source of the config",
		slog.String("source_id", s.SourceID), slog.String("outcome", string(adoption.Outcome)))
	switch adoption.Outcome {
	case registry.AdoptionDeleted, registry.AdoptionNotManaged:
		a.telemetry.Logger.Warn("a source of the config has no effect",
			slog.String("source_id", s.SourceID), slog.String("outcome", string(adoption.Outcome)))
	}
	if adoption.Managed != nil {
		a.warnOfDrift(s, adoption.Managed)
		a.directory.Put(adoption.Managed)
	}
}

// storeChanged logs when the registry's database goes away and comes back.
func (a *app) storeChanged(there bool, err error) {
	if there {
		a.telemetry.Logger.Info("the registry can be reached again")
		return
	}
	a.telemetry.Logger.Error("the registry can't be reached: known sources are served from memory", slog.Any("error", err))
}

// warnOfDrift warns of what an entry of the config says and the registry does not
// follow: it made the connection from an earlier entry (contract 5.13).
func (a *app) warnOfDrift(s registry.ConfigSource, m *registry.Source) {
	warn := func(what string) {
		a.telemetry.Logger.Warn("the config of a source has changed, and the registry keeps what it knows",
			slog.String("source_id", s.SourceID), slog.Int64("esa_id", m.Connection.ID), slog.String("field", what))
	}
	c := m.Connection
	if s.TenantID != c.TenantID {
		warn("tenant_id")
	}
	if s.ESAID != 0 && s.ESAID != c.ID {
		warn("esa_id")
	}
	if s.AdServer != nil && (c.AdServer == nil || !reflect.DeepEqual(*s.AdServer, *c.AdServer)) {
		warn("ad_server")
	}
}

// serve answers on a listener until ctx ends, and takes everything down after; admin is the
// operator's own, or nil.
func (a *app) serve(ctx context.Context, listener, admin net.Listener) error {
	stop := a.delayedStop(ctx)
	a.startWork()
	a.hints.Start()
	log := a.telemetry.Logger
	log.Info("serving", slog.String("address", listener.Addr().String()), slog.String("version", version))
	err := a.serveBoth(stop, listener, admin)
	log.Info("stopped")
	a.close()
	return err
}

// serveBoth answers on both listeners until ctx ends or one of them fails. The operator's
// is the last to go.
func (a *app) serveBoth(ctx context.Context, listener, admin net.Listener) error {
	if admin == nil {
		return a.gateway.Serve(ctx, listener)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	adminCtx, stopAdmin := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAdmin()
	ended := make(chan error, 1)
	go func() {
		defer stop()
		ended <- a.gateway.ServeAdmin(adminCtx, admin)
	}()
	a.telemetry.Logger.Info("admin listener", slog.String("address", admin.Addr().String()))
	err := a.gateway.Serve(ctx, listener)
	stopAdmin()
	return errors.Join(err, <-ended)
}

// closeTimeout is shared by all parts that wait for something at a stop, after the
// requests have ended: with the server's own limit a stop takes 20 s, after its delay.
const closeTimeout = 2 * time.Second

// close takes down what was built.
func (a *app) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	for _, end := range slices.Backward(a.ends) {
		end(ctx)
	}
}
