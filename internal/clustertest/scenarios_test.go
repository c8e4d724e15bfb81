package clustertest_test

import (
	"strings"
	"testing"
	"time"

	"esagate/internal/redistest"
)

// onRedis starts a Redis and replicas that reach it through a proxy each.
func onRedis(t *testing.T, replicas int) (w *world, server *redistest.Server, links []link) {
	t.Helper()
	server = redistest.Own(t, redistest.Password("CANARY"))
	w = newWorld(t, replicas, func(int) string {
		l := newLink(t, server.Addr())
		links = append(links, l)
		return l.through(server.URL())
	})
	return w, server, links
}

// redis waits until a replica says that its Redis is away, or there.
func (r *replica) redis(away bool) {
	r.w.t.Helper()
	eventually(r.w.t, "the replica says how its Redis is", func() bool {
		return strings.Contains(r.get("/readyz"), `"redis":"away"`) == away
	})
}

func (w *world) redis(away bool) {
	w.t.Helper()
	for _, r := range w.replicas {
		r.redis(away)
	}
}

// alone is what each of three replicas may call while it knows nothing of the others.
var alone = bound{3, 1}

// TestUndisturbed: two replicas and three call the sales agent as one does.
func TestUndisturbed(t *testing.T) {
	for name, count := range map[string]int{"two replicas": 2, "three replicas": 3} {
		t.Run(name, func(t *testing.T) {
			w, _, _ := onRedis(t, count)
			l := w.begin("undisturbed")
			l.goOn(6)
			l.end()
			failed := l.judge(false, nil)
			for i := range tenants {
				if _, most := w.agent.InFlightStatus(tenant(i)); most > 1 && failed == 0 {
					t.Errorf("%d calls of one tenant at once", most)
				}
			}
		})
	}
}

func TestAReplicaIsKilled(t *testing.T) {
	w, _, _ := onRedis(t, 3)
	l := w.begin("before")
	l.goOn(3)
	l.phase("killed")
	w.replicas[1].kill()
	l.goOn(4)
	w.replicas[1].start(binaries.watched)
	w.replicas[1].serves()
	l.phase("started again")
	l.goOn(3)
	l.end()
	l.judge(false, map[string]bound{"killed": {1, 1}})
}

// TestTheLeaderIsKilled: another leads, and nobody notices otherwise.
func TestTheLeaderIsKilled(t *testing.T) {
	w, _, _ := onRedis(t, 3)
	var leader *replica
	eventually(t, "one leads", func() bool {
		for _, r := range w.replicas {
			if r.leads() {
				leader = r
			}
		}
		return leader != nil
	})
	l := w.begin("before")
	l.goOn(2)
	l.phase("killed")
	leader.kill()
	eventually(t, "another leads", func() bool {
		for _, r := range w.replicas {
			if r != leader && r.leads() {
				return true
			}
		}
		return false
	})
	l.phase("another leads")
	l.goOn(3)
	l.end()
	l.judge(false, map[string]bound{"killed": {1, 1}})
}

// TestRedisIsAway: killed and back empty, or hanging, replicas go on alone.
func TestRedisIsAway(t *testing.T) {
	for name, how := range map[string]struct {
		away, back func(s *redistest.Server) error
	}{
		"killed": {(*redistest.Server).Down, func(s *redistest.Server) error { return s.Up(t.Context()) }},
		"paused": {(*redistest.Server).Pause, (*redistest.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			w, server, _ := onRedis(t, 3)
			l := w.begin("before")
			l.goOn(3)
			l.phase("away")
			must(t, how.away(server))
			w.redis(true)
			l.goOn(4)
			must(t, how.back(server))
			w.redis(false)
			l.phase("back")
			l.goOn(4)
			l.end()
			l.judge(true, map[string]bound{"away": alone, "back": {1, 3}})
		})
	}
}

// TestRedisIsRestartedEmpty: nobody misses what was in it.
func TestRedisIsRestartedEmpty(t *testing.T) {
	w, server, _ := onRedis(t, 3)
	l := w.begin("before")
	l.goOn(3)
	l.phase("restarted")
	must(t, server.Down(), server.Up(t.Context()))
	l.goOn(5)
	l.end()
	l.judge(true, map[string]bound{"restarted": {1, 3 * 3}})
}

// TestRedisIsFull: it takes no writes, and replicas go on alone.
func TestRedisIsFull(t *testing.T) {
	w, server, _ := onRedis(t, 3)
	set := func(bytes string) {
		_, err := server.Do(t.Context(), "CONFIG", "SET", "maxmemory", bytes)
		must(t, err)
	}
	l := w.begin("before")
	l.goOn(3)
	l.phase("full")
	set("1")
	w.redis(true)
	l.goOn(4)
	set("0")
	w.redis(false)
	l.phase("room again")
	l.goOn(4)
	l.end()
	l.judge(true, map[string]bound{"full": alone, "room again": {1, 3}})
}

// TestOneReplicaIsCutOff: from Redis alone, without a word. The others go on as two.
func TestOneReplicaIsCutOff(t *testing.T) {
	w, _, links := onRedis(t, 3)
	l := w.begin("before")
	l.goOn(3)
	l.phase("cut off")
	links[0].cut()
	w.replicas[0].redis(true)
	l.goOn(4)
	links[0].mend()
	w.replicas[0].redis(false)
	l.phase("mended")
	l.goOn(4)
	l.end()
	l.judge(true, map[string]bound{"cut off": {2, 1}, "mended": {1, 2}})
}

// TestRedisIsSlow: what takes longer than the budget counts as away.
func TestRedisIsSlow(t *testing.T) {
	w, _, links := onRedis(t, 3)
	l := w.begin("before")
	l.goOn(3)
	l.phase("slow")
	for _, link := range links {
		link.slow(100 * time.Millisecond)
	}
	w.redis(true)
	l.goOn(4)
	for _, link := range links {
		link.mend()
	}
	w.redis(false)
	l.phase("as fast as before")
	l.goOn(4)
	l.end()
	l.judge(true, map[string]bound{"slow": alone, "as fast as before": {1, 3}})
}

// TestRedisFailsOver: Sentinels make the replica the master.
func TestRedisFailsOver(t *testing.T) {
	sentinels, master := redistest.OwnSentinels(t, 1, redistest.Password("CANARY"))
	w := newWorld(t, 3, func(int) string { return sentinels.URL() })
	l := w.begin("before")
	l.goOn(3)
	l.phase("failing over")
	must(t, master.Down())
	eventually(t, "there is another master", func() bool {
		addr, err := sentinels.Master(t.Context())
		return err == nil && addr != master.Addr()
	})
	w.redis(false)
	l.phase("another master")
	l.goOn(4)
	l.end()
	l.judge(true, map[string]bound{"failing over": alone, "another master": {1, 3}})
}

// TestRedisIsACluster: three nodes serve as one does.
func TestRedisIsACluster(t *testing.T) {
	nodes := redistest.OwnCluster(t)
	w := newWorld(t, 2, func(int) string { return redistest.ClusterURL(nodes) })
	l := w.begin("undisturbed")
	l.goOn(6)
	l.end()
	l.judge(false, nil)
}

// TestOneReplicaIsUpgraded: two versions run side by side.
func TestOneReplicaIsUpgraded(t *testing.T) {
	w, _, _ := onRedis(t, 3)
	l := w.begin("before")
	l.goOn(2)
	l.phase("upgraded")
	w.replicas[2].stop()
	w.replicas[2].start(binaries.newer)
	w.replicas[2].serves()
	l.goOn(5)
	l.end()
	l.judge(false, map[string]bound{"upgraded": {1, 1}})
	if !strings.Contains(w.replicas[2].get("/metrics"), `version="9.9.9"`) {
		t.Error("it is the version of before")
	}
}

// TestRollingRestart: one replica after the other, under load.
func TestRollingRestart(t *testing.T) {
	w, _, _ := onRedis(t, 3)
	l := w.begin("before")
	l.goOn(2)
	l.phase("restarting")
	for _, r := range w.replicas {
		r.stop()
		r.start(binaries.watched)
		r.serves()
	}
	l.phase("restarted")
	l.goOn(3)
	l.end()
	l.judge(false, map[string]bound{"restarting": {1, 3}})
}

// TestWithoutRedis: each replica calls for itself, as before there was one.
func TestWithoutRedis(t *testing.T) {
	w := newWorld(t, 2, func(int) string { return "" })
	l := w.begin("undisturbed")
	l.goOn(4)
	l.end()
	l.judge(true, map[string]bound{"undisturbed": {2, 0}})
}
