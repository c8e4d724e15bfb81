package redistest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"esagate/internal/processtest"
)

const (
	masterName = "shelf"
	slots      = 16384 // of a cluster
)

// Sentinels watch over a server and its replicas, and make a replica the master when that does not answer
// for half a second.
type Sentinels struct {
	servers []*Server
	master  *Server
}

// StartSentinels starts a number of Sentinels over a master, of which more than half must agree, and waits
// until each knows the others and the given number of replicas. The caller stops them.
func StartSentinels(ctx context.Context, count int, master *Server, replicas int) (*Sentinels, error) {
	g := &Sentinels{master: master}
	for range count {
		s, err := Start(ctx, sentinelOf(master, count/2+1))
		if err != nil {
			return nil, errors.Join(err, g.Stop())
		}
		g.servers = append(g.servers, s)
	}
	for _, s := range g.servers {
		err := s.wait(ctx, "the Sentinels do not find each other", func() (bool, error) {
			answer, err := s.Do(ctx, "SENTINEL", "MASTER", masterName)
			m, _ := answer.(map[any]any)
			return err == nil && m["num-other-sentinels"] == strconv.Itoa(count-1) && m["num-slaves"] == strconv.Itoa(replicas), nil
		})
		if err != nil {
			return nil, errors.Join(err, g.Stop())
		}
	}
	return g, nil
}

// sentinelOf makes a Sentinel of a server, which wants a file of settings of its own to write to.
func sentinelOf(master *Server, quorum int) Option {
	return func(s *Server) {
		s.settings = fmt.Sprintf("sentinel monitor %[1]s 127.0.0.1 %d %d\nsentinel down-after-milliseconds %[1]s 500\n"+
			"sentinel failover-timeout %[1]s 3000\n", masterName, master.port, quorum)
		if master.password != "" {
			s.settings += fmt.Sprintf("sentinel auth-pass %s %s\n", masterName, master.password)
		}
	}
}

// URL is the address of the master by way of the Sentinels, as `snapshot.redis_url` takes it.
func (g *Sentinels) URL() string {
	q := url.Values{"master_name": {masterName}}
	for _, s := range g.servers[1:] {
		q.Add("addr", s.Addr())
	}
	if g.master.password != "" {
		q.Set("password", g.master.password)
	}
	return "redis://" + g.servers[0].Addr() + "?" + q.Encode()
}

// Master is the host and port of the server that is the master now.
func (g *Sentinels) Master(ctx context.Context) (string, error) {
	c := redis.NewSentinelClient(&redis.Options{Addr: g.servers[0].Addr()})
	defer func() { _ = c.Close() }()
	addr, err := c.GetMasterAddrByName(ctx, masterName).Result()
	if err != nil {
		return "", fmt.Errorf("redistest: %w", err)
	}
	return strings.Join(addr, ":"), nil
}

// Stop ends the Sentinels.
func (g *Sentinels) Stop() error { return stopAll(g.servers) }

// StartCluster starts a cluster of a number of nodes without replicas, and waits until it serves. The
// caller stops each.
func StartCluster(ctx context.Context, count int) ([]*Server, error) {
	var nodes []*Server
	for range count {
		s, err := Start(ctx, clusterNode)
		if err != nil {
			return nil, errors.Join(err, stopAll(nodes))
		}
		nodes = append(nodes, s)
	}
	for i, s := range nodes {
		_, err := s.Do(ctx, "CLUSTER", "ADDSLOTSRANGE", i*slots/count, (i+1)*slots/count-1)
		if err == nil && i > 0 {
			_, err = s.Do(ctx, "CLUSTER", "MEET", "127.0.0.1", nodes[0].port, nodes[0].bus)
		}
		if err != nil {
			return nil, errors.Join(err, stopAll(nodes))
		}
	}
	for _, s := range nodes {
		err := s.wait(ctx, "the nodes do not find each other", func() (bool, error) {
			answer, err := s.Do(ctx, "CLUSTER", "INFO")
			text, _ := answer.(string)
			return err == nil && strings.Contains(text, "cluster_state:ok") && strings.Contains(text, fmt.Sprintf("cluster_known_nodes:%d", count)), nil
		})
		if err != nil {
			return nil, errors.Join(err, stopAll(nodes))
		}
	}
	return nodes, nil
}

func clusterNode(s *Server) {
	s.bus, _ = processtest.FreePort() // 0 is refused by the server
	s.args = append(s.args, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(s.bus), "--cluster-node-timeout", "1000")
}

// ClusterURL is the address of a cluster, as `snapshot.redis_url` takes it.
func ClusterURL(nodes []*Server) string {
	q := url.Values{}
	for _, s := range nodes[1:] {
		q.Add("addr", s.Addr())
	}
	return nodes[0].URL() + "?" + q.Encode()
}

func stopAll(servers []*Server) error {
	var all error
	for _, s := range servers {
		all = errors.Join(all, s.Stop())
	}
	return all
}
