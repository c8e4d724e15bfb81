package gateway

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"esagate/api"
	"esagate/internal/fault"
)

const (
	metricsFresh  = time.Second     // how long a page of metrics serves all who ask
	gatherTimeout = 5 * time.Second // how long a reader waits while another one's page is gathered
)

const openMetrics = "application/openmetrics-text"

// metricsPages gathers the metrics at most once a second in each of the two formats, and
// has the pages in memory before any of it is written: how fast a reader takes its page
// is nobody else's matter, and costs no copy of it.
type metricsPages struct {
	gatherer http.Handler
	turn     *semaphore.Weighted // guards pages
	pages    [2]metricsPage      // in the text format, and in OpenMetrics
}

func newMetricsPages(gatherer http.Handler) *metricsPages {
	return &metricsPages{gatherer: gatherer, turn: semaphore.NewWeighted(1)}
}

// metricsPage takes what a http.Handler answers.
type metricsPage struct {
	header http.Header
	status int
	buf    bytes.Buffer

	body *api.Body
	at   time.Time // when it was gathered
}

// Header implements http.ResponseWriter.
func (p *metricsPage) Header() http.Header { return p.header }

// WriteHeader implements http.ResponseWriter.
func (p *metricsPage) WriteHeader(status int) { p.status = status }

// Write implements http.ResponseWriter.
func (p *metricsPage) Write(b []byte) (int, error) { return p.buf.Write(b) }

// get gives the present page in a format.
func (m *metricsPages) get(ctx context.Context, accept string) (*api.Body, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, gatherTimeout)
	defer cancel()
	if err := m.turn.Acquire(ctx, 1); err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, "The metrics are being gathered for somebody else.", err)
	}
	defer m.turn.Release(1)
	format, header := 0, http.Header{}
	if strings.Contains(accept, openMetrics) {
		format, header = 1, http.Header{"Accept": {openMetrics + ";version=1.0.0"}}
	}
	if p := &m.pages[format]; p.body != nil && time.Since(p.at) < metricsFresh {
		return p.body, p.header["Content-Type"], nil
	}
	p := metricsPage{header: http.Header{}, status: http.StatusOK, at: time.Now()}
	m.gatherer.ServeHTTP(&p, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/metrics"}, Header: header})
	if p.status != http.StatusOK {
		return nil, nil, fault.New(fault.Unavailable, "The metrics could not be gathered.")
	}
	p.body = api.NewBody(p.buf.Bytes())
	p.buf = bytes.Buffer{}
	m.pages[format] = p
	return p.body, p.header["Content-Type"], nil
}

func (g probes) getMetrics(w http.ResponseWriter, r *request) error {
	page, contentType, err := g.metrics.get(r.Context(), r.Header.Get("Accept"))
	if err != nil {
		return err
	}
	content := page.Plain
	if acceptsGzip(r.Header) {
		content, _ = page.Gzip()
		w.Header()["Content-Encoding"] = gzipCoding
	}
	writeUncached(w, r, http.StatusOK, contentType, content)
	return nil
}
