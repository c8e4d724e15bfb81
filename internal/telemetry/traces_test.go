package telemetry_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"esagate/internal/telemetry"
)

// collector is an OTLP receiver that hands on what it gets.
func collector(t *testing.T) (url string, received <-chan *tracepb.ResourceSpans) {
	t.Helper()
	got := make(chan *tracepb.ResourceSpans, 16)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var request coltrace.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/prefix/v1/traces" || proto.Unmarshal(body, &request) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, spans := range request.ResourceSpans {
			got <- spans
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/prefix", got
}

func TestSpansReachTheCollectorClean(t *testing.T) {
	for _, path := range []string{"", "/", "/v1/traces"} {
		url, received := collector(t)
		tel, _ := start(t, telemetry.Config{OTLPEndpoint: url + path, TraceRatio: 1, Version: "1.2.3"})

		const route = "/api/v2/storefront/inventory-sources/{sourceId}/status"
		_, span := tel.TracerProvider.Tracer("test").Start(t.Context(), "GET "+route)
		span.SetAttributes(
			attribute.String("http.route", route),
			attribute.String("url.full", "http://127.0.0.1:3091/api/v1/tenant-management/tenants/tnt_a/status"),
			attribute.Int("http.response.status_code", 502),
			attribute.String("esagate.result", "hit"),
			attribute.String("esagate.detail", canary),
			attribute.String("url.query", plainCanary),
			attribute.StringSlice("esagate.list", []string{plainCanary}),
			attribute.String("http.request.header.authorization", plainCanary),
		)
		span.RecordError(errors.New("refused\n" + plainCanary))
		span.AddEvent(canary, trace.WithAttributes(attribute.String("body", plainCanary)))
		span.AddLink(trace.Link{SpanContext: span.SpanContext(), Attributes: []attribute.KeyValue{attribute.String("body", plainCanary)}})
		span.SetStatus(codes.Error, "token: "+plainCanary)
		span.End()
		_, other := tel.TracerProvider.Tracer("test").Start(t.Context(), canary)
		other.End()
		must(t, tel.Shutdown(t.Context()))

		if len(received) == 0 {
			t.Fatal("nothing exported")
		}
		got := <-received
		spans := got.ScopeSpans[0].Spans
		if len(spans) != 2 || spans[0].Name != "GET "+route || spans[1].Name != telemetry.Redacted {
			t.Fatalf("spans %v", spans)
		}
		text := got.String()
		if strings.Contains(text, "CANARY") {
			t.Errorf("canary in %s", text)
		}
		for _, want := range []string{`"` + route + `"`, "tenants/tnt_a/status", `"hit"`, "502", `"esagate"`, `"1.2.3"`} {
			if !strings.Contains(text, want) {
				t.Errorf("no %s in %s", want, text)
			}
		}
	}
}

func TestTheCallerDecidesOnSampling(t *testing.T) {
	url, received := collector(t)
	tel, _ := start(t, telemetry.Config{OTLPEndpoint: url, TraceRatio: 0})
	tracer := tel.TracerProvider.Tracer("test")
	_, alone := tracer.Start(t.Context(), "alone")
	alone.End()
	in := http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}
	ctx := tel.Propagator.Extract(t.Context(), propagation.HeaderCarrier(in))
	_, asked := tracer.Start(ctx, "asked")
	asked.End()
	must(t, tel.Shutdown(t.Context()))
	select {
	case got := <-received:
		if spans := got.ScopeSpans[0].Spans; len(spans) != 1 || spans[0].Name != "asked" {
			t.Errorf("exported %v", spans)
		}
	default:
		t.Error("nothing exported")
	}
}

func TestNothingRunsAfterShutdown(t *testing.T) {
	url, _ := collector(t) // and it stays up, its connections open
	tel, _ := start(t, telemetry.Config{OTLPEndpoint: url, TraceRatio: 1})
	_, span := tel.TracerProvider.Tracer("test").Start(t.Context(), "work")
	span.End()
	must(t, tel.Shutdown(t.Context()))
	goleak.VerifyNone(t,
		goleak.IgnoreAnyFunction("net/http.(*Server).Serve"),
		goleak.IgnoreAnyFunction("net/http.(*conn).serve"),
		goleak.IgnoreAnyFunction("net/http.(*connReader).backgroundRead"))
}

func TestContextIsPassedOnWithoutACollector(t *testing.T) {
	tel, _ := start(t, telemetry.Config{TraceRatio: 1})
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	in := http.Header{"Traceparent": {parent}, "Tracestate": {"vendor=" + plainCanary}, "Baggage": {"user=" + plainCanary}}
	ctx := tel.Propagator.Extract(t.Context(), propagation.HeaderCarrier(in))
	ctx, span := tel.TracerProvider.Tracer("test").Start(ctx, "work")
	defer span.End()
	if span.IsRecording() {
		t.Error("a span is recorded without an exporter")
	}
	out := http.Header{}
	tel.Propagator.Inject(ctx, propagation.HeaderCarrier(out))
	if out.Get("Traceparent") != parent || len(out) != 1 {
		t.Errorf("passed on %v", out)
	}
}

// logLines is a log output whose lines can be waited for.
type logLines chan string

func (l logLines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func TestShutdownEndsInTime(t *testing.T) {
	for _, while := range []string{"waiting", "sending"} {
		t.Run(while, func(t *testing.T) {
			arrived := make(chan struct{}, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body) // the end of the connection is noticed only after it
				arrived <- struct{}{}
				<-r.Context().Done()
			}))
			defer server.Close()
			log := make(logLines, 16)
			tel, err := telemetry.Start(t.Context(), telemetry.Config{OTLPEndpoint: server.URL, TraceRatio: 1}, log)
			must(t, err)
			_, span := tel.TracerProvider.Tracer("test").Start(t.Context(), "work")
			span.End()

			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if while == "waiting" {
				cancel()
			} else {
				go func() {
					<-arrived
					cancel()
				}()
			}
			err = tel.Shutdown(ctx)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Shutdown: %v", err)
			}
			// The export under way ends because it was stopped, not by its own timeout.
			if line := <-log; !strings.Contains(line, "context canceled") {
				t.Errorf("log: %s", line)
			}
		})
	}
}

// TestTheCollectorsWordsAreNotRepeated: the log has the host and the status of an answer, and none of its text.
func TestTheCollectorsWordsAreNotRepeated(t *testing.T) {
	partial, err := proto.Marshal(&coltrace.ExportTraceServiceResponse{PartialSuccess: &coltrace.ExportTracePartialSuccess{
		RejectedSpans: 1, ErrorMessage: "invalid api key hny_9f8e7d6c5b"}})
	must(t, err)
	const words, partly = "invalid api key hny_9f8e7d6c5b", " did not take all of it (200)"
	answer := func(status, header, body string) string {
		return fmt.Sprintf("HTTP/1.1 %s\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, header, len(body), body)
	}
	for name, c := range map[string]struct{ answer, want string }{
		"refused":                {answer("401 Unauthorized", "", words), " answered 401"},
		"a shape that is known":  {answer("400 Bad Request", "", "token="+plainCanary), " answered 400"},
		"words of the status":    {answer("418 "+words, "", ""), " answered 418"},
		"redirected":             {answer("307 Moved", "Location: http://hny_9f8e7d6c5b.example/\r\n", words), " answered 307"},
		"unwell":                 {answer("503 Service Unavailable", "Retry-After: 3600\r\n", words), " answered 503"},
		"partial success":        {answer("200 OK", "Content-Type: application/x-protobuf\r\n", string(partial)), partly},
		"partial, in JSON":       {answer("200 OK", "Content-Type: application/json\r\n", `{"partialSuccess":{"errorMessage":"`+words+`"}}`), partly},
		"a body that is not one": {answer("200 OK", "Content-Type: application/x-protobuf\r\n", words), partly},
		"no HTTP":                {words + "\r\n\r\n", " gave no answer"},
		"cut short":              {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + words, partly},
		"nothing":                {"", " gave no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			defer listener.Close()
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
						io.Copy(io.Discard, r.Body)
						io.WriteString(conn, c.answer)
					}
					conn.Close()
				}
			}()
			tel, log := start(t, telemetry.Config{OTLPEndpoint: "http://" + listener.Addr().String(), TraceRatio: 1})
			_, span := tel.TracerProvider.Tracer("test").Start(t.Context(), "work")
			span.End()
			err = tel.Shutdown(t.Context())
			got := log.String()
			if !strings.Contains(got, "the collector at "+listener.Addr().String()+c.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("log %s", got)
			}
			for _, word := range []string{"invalid", "hny_", "9f8e7d6c5b", plainCanary} {
				if strings.Contains(got+fmt.Sprint(err), word) {
					t.Errorf("%s in log %s, error %v", word, got, err)
				}
			}
		})
	}
}
