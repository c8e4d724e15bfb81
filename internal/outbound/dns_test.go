package outbound_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// names is a DNS server in memory. It gives the addresses of a name, a set for each
// time that it is looked up; the last set stays.
type names struct {
	t    *testing.T
	mu   sync.Mutex
	sets map[string][][]string
	seen map[string]map[dnsmessage.Type]int // how often a name was asked for
}

// resolve makes a resolver from sets of addresses, separated by blanks.
func resolve(t *testing.T, sets map[string][]string) *net.Resolver {
	n := &names{t: t, sets: map[string][][]string{}, seen: map[string]map[dnsmessage.Type]int{}}
	for name, list := range sets {
		for _, set := range list {
			n.sets[name+"."] = append(n.sets[name+"."], strings.Fields(set))
		}
		n.seen[name+"."] = map[dnsmessage.Type]int{}
	}
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go n.serve(theirs) // ends when the resolver closes its side
		return ours, nil
	}}
}

// serve answers queries as DNS has them on streams: each with its length before it.
func (n *names) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		answer, err := n.answer(query)
		if err != nil {
			n.t.Error(err)
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

func (n *names) answer(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	q := m.Questions[0]
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true, RecursionAvailable: true},
		Questions: m.Questions,
	}
	for _, text := range n.next(q) {
		header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
		switch a := netip.MustParseAddr(text); {
		case a.Is4() && q.Type == dnsmessage.TypeA:
			reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: a.As4()}})
		case a.Is6() && q.Type == dnsmessage.TypeAAAA:
			reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return reply.Pack()
}

// next gives the addresses for this time; A and AAAA are looked up side by side.
func (n *names) next(q dnsmessage.Question) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	sets := n.sets[q.Name.String()]
	if len(sets) == 0 {
		return nil
	}
	turn := n.seen[q.Name.String()][q.Type]
	n.seen[q.Name.String()][q.Type]++
	return sets[min(turn, len(sets)-1)]
}
