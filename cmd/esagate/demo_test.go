package main_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// paste runs the lines about sources that the demo prints, as its user does.
func paste(t *testing.T, printed string) {
	t.Helper()
	for _, line := range []struct{ part, want string }{
		{`-d '{"name":`, `"sourceId":"retail-network-agent"`}, {"-X PUT", `"status":"ACTIVE"`}, {"-X DELETE", ""},
		{"-d state=down,blocked", `"headline":"`}, {" status --url", "STATE"},
	} {
		at := strings.Index(printed, line.part)
		command, _, _ := strings.Cut(printed[strings.LastIndex(printed[:at], "\n")+1:], "\n")
		if line.want == "STATE" {
			command += " || [ $? -eq 1 ]" // a source is down
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte(line.want)) || line.want == "" && len(out) > 0 {
			t.Errorf("%s\n%v %s", command, err, out)
		}
	}
}
