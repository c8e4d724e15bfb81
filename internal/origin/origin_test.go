package origin_test

import (
	"net/url"
	"testing"

	"esagate/internal/origin"
)

func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"https://ads.example/x?q=1", "https://ads.example:443/y", true},
		{"http://ads.example", "http://ADS.Example:80/", true},
		{"https://[::1]/", "https://[::1]:443/", true},
		{"https://ads.example", "http://ads.example", false},
		{"https://ads.example", "https://ads.example:8443", false},
		{"https://ads.example", "https://sub.ads.example", false},
		{"https://xς.example", "https://xσ.example", false}, // one letter to strings.EqualFold, two names to IDNA
		{"mailto:a@ads.example", "mailto:b@ads.example", false},
		{"/a", "/b", false},
	} {
		a, errA := url.Parse(c.a)
		b, errB := url.Parse(c.b)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if origin.Same(a, b) != c.same || origin.Same(b, a) != c.same {
			t.Errorf("Same(%s, %s) is not %t", c.a, c.b, c.same)
		}
	}
}
