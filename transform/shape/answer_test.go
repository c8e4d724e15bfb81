package shape_test

import (
	"bytes"
	"strings"
	"testing"

	"esagate/api"
	"esagate/transform/shape"
)

func TestAnswer(t *testing.T) {
	list := shape.Of(api.Operations()["listEsaSignals"].Successes[0].Schema)
	var out bytes.Buffer
	notes, err := list.Answer(&out, strings.NewReader(`{"count": 1, "signals": [{"signal_id": "kv_weather", "name": "Weather", "value_type": "numeric",
		"range": {"min": "10.000000", "max": null}, "adapter_config": {"key_id": 1, "keyId": {"a_b": [1.50]}}, "created_at": "2026-11-20T10:00:00.5+01:00", "password": "CANARY"}]}`))
	want := `{"signals":[{"signalId":"kv_weather","name":"Weather","valueType":"numeric","range":{"min":"10.000000","max":null},` +
		`"adapterConfig":{"key_id":1,"keyId":{"a_b":[1.50]}},"createdAt":"2026-11-20T09:00:00.5Z"}]}`
	if err != nil || out.String() != want {
		t.Errorf("%v\n%s\n%s", err, out.String(), want)
	}
	if len(notes.Unknown) != 1 || notes.Unknown[0] != "signals[].password" {
		t.Errorf("%q", notes.Unknown)
	}
}
