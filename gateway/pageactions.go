package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path"
	"time"

	"esagate/api"
	"esagate/gateway/ops"
	"esagate/internal/fault"
	"esagate/registry"
)

// maxActionForm bounds the form of an action, in bytes.
const maxActionForm = 4 << 10

// act makes the handler of an action's form of an operation of the API's. What the form carries
// stands for the headers that a program sends: it is done once, and on what the page has shown. The answer is
// the page, with what came of it.
func (g pages) act(operate func(http.ResponseWriter, *request, *registry.Source) error) handlerFunc {
	return g.onSource(func(w http.ResponseWriter, r *request, src *registry.Source) error {
		g.extendWriteDeadline(w)
		body, err := readBody(r, maxActionForm)
		if err != nil {
			return err
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return fault.New(fault.BadRequest, "The form can't be read.")
		}
		conditional(r, form)
		outcome := new(ops.Outcome)
		if err = operate(w, r, src); err == nil {
			outcome, err = ops.OutcomeOf(r.document)
		}
		if r.Context().Err() != nil && err != nil {
			return err
		}
		code := http.StatusOK
		if err != nil {
			code, outcome = g.failed(w, r, err)
		} else if path.Base(r.route) == "test-connection" {
			outcome.Took = time.Since(r.begun)
		}
		now, err := g.deps.Directory.ManagedSource(r.Context(), src.CustomerID, src.SourceID)
		if err != nil {
			return err
		}
		view := g.sourceView(r, now)
		view.Outcome = outcome
		writePage(w, r, code, ops.Source(view))
		return nil
	})
}

// openAdminUI makes the handler of the form that leads into the admin UI of a source, of the API's operation that makes
// a link. The link may be at another host (server.console_url), which the forms of our pages must not lead to
// (assets.Policy), so the answer is a page that goes on by itself.
func (g pages) openAdminUI(launch handlerFunc) handlerFunc {
	return func(w http.ResponseWriter, r *request) error {
		if err := launch(w, r); err != nil {
			return err
		}
		var made api.Launch
		if err := json.Unmarshal(r.document, &made); err != nil {
			return err
		}
		w.Header()["Referrer-Policy"] = noReferrer
		writePage(w, r, http.StatusOK, ops.Onward(ops.OnwardView{Page: r.pageView("One moment"), Address: made.URL}))
		return nil
	}
}

// conditional puts what a form carries where the operations look for it.
func conditional(r *request, form url.Values) {
	r.Header = r.Header.Clone()
	for _, name := range []string{"If-Match", "If-None-Match", "If-Unmodified-Since", headerIdempotencyKey} {
		r.Header.Del(name)
	}
	if seen := form.Get("seen"); seen != "" {
		r.Header.Set("If-Unmodified-Since", seen)
	}
	if once := form.Get("once"); once != "" { // all forms of a page have the same
		r.Header.Set(headerIdempotencyKey, once+"."+path.Base(r.route))
	}
}

// failed says what an action failed for.
func (g pages) failed(w http.ResponseWriter, r *request, err error) (code int, o *ops.Outcome) {
	f := fault.As(err)
	r.failure = f
	setRetryAfter(w.Header(), f)
	o = &ops.Outcome{Text: titleOf(f.Kind) + ".", More: []string{f.Message}}
	switch {
	case f.Kind == fault.PreconditionFailed:
		o.Text = "The source has changed since this page was shown, so nothing was done."
		o.More = []string{"This is how it stands now: look again, and decide anew."}
	case errors.Is(err, registry.ErrAnswerPending):
		o.Text = "This has been asked for already, and is still being done."
		o.More = nil
	}
	if w.Header().Get("Retry-After") != "" {
		o.Retry = retryAfter(f.RetryAfter)
	}
	return answerOf[f.Kind].status, o
}
