package telemetry_test

import (
	"database/sql"
	"testing"
	"time"
)

func TestPoolsAndBuild(t *testing.T) {
	in, page := instruments(t)
	waited := 1500 * time.Millisecond
	in.StorePools(func() map[string]sql.DBStats {
		return map[string]sql.DBStats{
			"read":  {MaxOpenConnections: 4, OpenConnections: 3, InUse: 2, Idle: 1},
			"write": {MaxOpenConnections: 1, OpenConnections: 1, InUse: 1, WaitCount: 7, WaitDuration: waited},
		}
	})
	in.Build("v1.2.3", "0123abc-dirty", "go1.26.8")
	in.InFlight(func() int { return 5 })
	p := page()
	for _, line := range []string{
		`esagate_store_connections{pool="read",state="in_use"} 2`,
		`esagate_store_connections{pool="read",state="idle"} 1`,
		`esagate_store_connections{pool="write",state="in_use"} 1`,
		`esagate_store_connections{pool="write",state="idle"} 0`,
		`esagate_store_connections_max{pool="read"} 4`,
		`esagate_store_waits_total{pool="write"} 7`,
		`esagate_store_wait_seconds_total{pool="write"} 1.5`,
		`esagate_build_info{commit="0123abc-dirty",go_version="go1.26.8",version="v1.2.3"} 1`,
		`esagate_requests_in_flight 5`,
	} {
		has(t, p, line)
	}
	waited *= 2
	has(t, page(), `esagate_store_wait_seconds_total{pool="write"} 3`)
}
