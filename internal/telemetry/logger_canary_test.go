package telemetry_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"esagate/internal/background"
	"esagate/internal/telemetry"
)

// canary is a secret that looks like one; plainCanary one that only the key
// allow-list can stop.
const (
	canary      = "CANARY0123456789abcdefghijklmnop"
	plainCanary = "CANARYhunter"
)

type pair struct{ User, Password string }

type resolves struct{ to slog.Value }

func (r resolves) LogValue() slog.Value { return r.to }

type shy string

func (shy) String() string { return "***" }

type mute string

func (mute) MarshalText() ([]byte, error) { return []byte("***"), nil }

type word string

type broken struct{ p *pair }

func (b *broken) Error() string { return b.p.Password }

var errCanary = errors.New(canary)

// hidden are attributes of which nothing may be seen: in each, the canary
// stands under an allowed key in a secret-like way, or under another key.
var hidden = map[string]slog.Attr{
	"string":                      slog.String("code", canary),
	"string in the middle":        slog.String("reason", "it was "+canary+", sorry"),
	"pair":                        slog.String("reason", "password="+plainCanary),
	"phrase":                      slog.String("reason", "password: "+plainCanary),
	"unknown key":                 slog.String("password", plainCanary),
	"unknown key, bytes":          slog.Any("body", []byte(plainCanary)),
	"unknown key, error":          slog.Any("why", errors.New(plainCanary)),
	"bytes":                       slog.Any("field", []byte(plainCanary)),
	"struct":                      slog.Any("config", pair{"ann", plainCanary}),
	"pointer to struct":           slog.Any("config", &pair{"ann", plainCanary}),
	"map":                         slog.Any("config", map[string]string{"a": plainCanary}),
	"slice":                       slog.Any("config", []string{plainCanary}),
	"func":                        slog.Any("config", func() string { return plainCanary }),
	"error":                       slog.Any("error", errCanary),
	"error chain":                 slog.Any("error", fmt.Errorf("a: %w", fmt.Errorf("b: %w", errCanary))),
	"error, telling only wrapped": slog.Any("error", fmt.Errorf("password: %w", errors.New(plainCanary))),
	"joined errors":               slog.Any("error", errors.Join(errors.New("one"), errCanary)),
	"later line of an error":      slog.Any("error", errors.New("one\n"+plainCanary)),
	"error text":                  slog.String("error", "one\n"+plainCanary),
	"broken error":                slog.Any("error", &broken{}),
	"nil error":                   slog.Any("error", (*broken)(nil)),
	"log valuer":                  slog.Any("code", resolves{slog.StringValue(canary)}),
	"log valuer of a log valuer":  slog.Any("code", resolves{slog.AnyValue(resolves{slog.StringValue(canary)})}),
	"log valuer of a group":       slog.Any("code", resolves{slog.GroupValue(slog.String("secret", plainCanary))}),
	"group":                       slog.Group("request", slog.String("code", canary)),
	"group, unknown key":          slog.Group("error", slog.String("secret", plainCanary)),
	"group in a group":            slog.Group("a", slog.Group("b", slog.Any("error", errCanary), slog.Any("x", plainCanary))),
	"group without a name":        slog.Group("", slog.String("secret", plainCanary)),
	"group named so":              slog.Group(canary, slog.Int("count", 1)),
	"key":                         slog.String(canary, "x"),
	"key, short":                  slog.String(plainCanary, "x"),
	"type that hides itself":      slog.Any("key_name", shy(plainCanary)),
	"type that marshals itself":   slog.Any("key_name", mute(plainCanary)),
	"named string":                slog.Any("key_name", word(canary)),
	"no key":                      slog.String("", plainCanary),
	"bad key":                     slog.Any("!BADKEY", plainCanary),
	"request id":                  slog.String("request_id", canary),
	"trace id":                    slog.String("trace_id", canary),
	"version":                     slog.String("version", "1.2.3-"+canary),
	"stack as a string":           slog.String("stack", "panic: "+plainCanary+"\n\ngoroutine 1 [running]:\nmain.f()"),
	"stack under another key":     slog.Any("CANARY", background.Callers()),
	"url with user info":          slog.String("url", "https://ann:"+plainCanary+"@example.com/"),
	"url with user":               slog.String("url", "https://"+plainCanary+"@example.com/"),
	"url with a query":            slog.String("url", "https://example.com/?"+plainCanary),
	"url with a fragment":         slog.String("url", "https://example.com/#"+plainCanary),
	"url with a token":            slog.String("url", "https://example.com/hooks/"+canary),
	"url of a token":              slog.String("url", "https://"+canary+".example.com/"),
	"url that is none":            slog.String("url", plainCanary),
	"path":                        slog.String("config", "/etc/"+canary),
	"path with a query":           slog.String("file", "esagate.db?key="+plainCanary),
	"route":                       slog.String("route", "/api/"+canary),
}

func TestCanaryIsNeverLogged(t *testing.T) {
	doors := map[string]func(l *slog.Logger, a slog.Attr){
		"attr":            func(l *slog.Logger, a slog.Attr) { l.Info("said", a) },
		"with":            func(l *slog.Logger, a slog.Attr) { l.With(a).Info("said") },
		"in group":        func(l *slog.Logger, a slog.Attr) { l.WithGroup("request").Info("said", a) },
		"with in group":   func(l *slog.Logger, a slog.Attr) { l.WithGroup("request").With(a).Info("said", "count", 1) },
		"group attribute": func(l *slog.Logger, a slog.Attr) { l.Info("said", slog.Group("outer", a)) },
	}
	for _, format := range []string{telemetry.FormatJSON, telemetry.FormatText} {
		for door, say := range doors {
			for name, attr := range hidden {
				t.Run(format+"/"+door+"/"+name, func(t *testing.T) {
					var out bytes.Buffer
					say(telemetry.NewLogger(&out, format, slog.LevelInfo), attr)
					if !strings.Contains(out.String(), "said") {
						t.Fatalf("no line: %q", out.String())
					}
					if strings.Contains(strings.ToUpper(out.String()), "CANARY") {
						t.Errorf("canary in %s", out.String())
					}
				})
			}
		}
	}
}

func TestCanaryIsNeverLoggedAsMessageOrGroup(t *testing.T) {
	for _, format := range []string{telemetry.FormatJSON, telemetry.FormatText} {
		var out bytes.Buffer
		l := telemetry.NewLogger(&out, format, slog.LevelInfo)
		l.Info(canary)
		l.Info("token: " + plainCanary)
		l.Info("first line\n" + plainCanary)
		l.WithGroup(canary).WithGroup(plainCanary).Info("grouped", "count", 1)
		l.Info("misplaced", plainCanary, 7) // what vet warns of
		if lines := strings.Count(out.String(), "\n"); lines != 5 {
			t.Errorf("%d lines, want 5:\n%s", lines, out.String())
		}
		if strings.Contains(out.String(), "CANARY") {
			t.Errorf("canary in %s", out.String())
		}
	}
}
