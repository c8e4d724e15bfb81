package adserver_test

import (
	"strings"
	"testing"

	"esagate/internal/adserver"
)

func TestErrorCode(t *testing.T) {
	for code, want := range map[string]string{
		"network_not_found": "ADAPTER_NETWORK_NOT_FOUND", "permission_denied": "ADAPTER_PERMISSION_DENIED",
		"invalid_credentials": "ADAPTER_INVALID_CREDENTIALS", "invalid_config": "ADAPTER_INVALID_CONFIG",
		"connection_failed": "ADAPTER_CONNECTION_FAILED", "upstream_unavailable": "ADAPTER_CONNECTION_FAILED",
		"": "INTERNAL_ERROR", "adapter_": "INTERNAL_ERROR", "validation_error": "INTERNAL_ERROR", "Permission_Denied": "INTERNAL_ERROR",
	} {
		if got := adserver.ErrorCode(code); got != want {
			t.Errorf("%q: %s, want %s", code, got, want)
		}
		if want == "INTERNAL_ERROR" {
			continue
		}
		if got := adserver.ErrorCode("adapter_" + code); got != want {
			t.Errorf("adapter_%s: %s, want %s", code, got, want)
		}
		saved, sent := adserver.ErrorText(want, adserver.SavedConfig), adserver.ErrorText(want, adserver.NewConfig)
		if saved == adserver.ErrorText("INTERNAL_ERROR", adserver.SavedConfig) || strings.Contains(saved+sent, "%") {
			t.Errorf("%s has no sentence: %q, %q", want, saved, sent)
		}
		if strings.Contains(sent, "saved") || strings.Contains(saved, "new") {
			t.Errorf("%s: of a saved config %q, of a new one %q", want, saved, sent)
		}
	}
}
