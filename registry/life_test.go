package registry_test

import (
	"reflect"
	"testing"

	"esagate/registry"
)

// TestLearnAdServer: what is known is never replaced, and nothing else changes.
func TestLearnAdServer(t *testing.T) {
	known := func(view *registry.AdServer, email string) registry.Connection {
		return registry.Connection{ID: 7, Epoch: 3, LastError: "e", AdServer: view, ServiceAccountEmail: email}
	}
	mock, other := registry.AdServer{Type: "mock"}, registry.AdServer{Type: "freewheel", Username: "u"}
	for name, x := range map[string]struct {
		is    registry.Connection
		view  registry.AdServer
		email string
		want  registry.Connection
	}{
		"nothing to learn": {known(nil, ""), registry.AdServer{}, "", known(nil, "")},
		"a view":           {known(nil, "a@b.example"), mock, "", known(&mock, "a@b.example")},
		"an e-mail":        {known(&other, ""), mock, "a@b.example", known(&other, "a@b.example")},
		"both":             {known(nil, ""), mock, "a@b.example", known(&mock, "a@b.example")},
		"all is known":     {known(&other, "a@b.example"), mock, "c@d.example", known(&other, "a@b.example")},
	} {
		got, err := registry.LearnAdServer(x.view, x.email)(&registry.Source{Connection: &x.is})
		if err != nil || !reflect.DeepEqual(*got, x.want) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, x.want)
		}
	}
}
