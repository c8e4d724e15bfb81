package upstreamtest

import (
	"fmt"
	"net/http"
	"strings"
)

const (
	contentJSON = "application/json"
	contentHTML = "text/html; charset=utf-8"
)

// answer is a whole response, before a fault spoils its delivery.
type answer struct {
	status      int
	contentType string
	header      http.Header
	body        []byte
	stream      func(http.ResponseWriter) // writes all of it by itself, in place of the others; no fault spoils that
}

func ok(document any) answer { return says(http.StatusOK, document) }

func says(status int, document any) answer {
	return answer{status: status, contentType: contentJSON, body: encode(document)}
}

type problemDocument struct {
	Error   string `json:"error"`
	Message string `json:"message"`
	Details any    `json:"details,omitempty"` // one of the types of this package; left out where there are none
}

type problemDetails struct {
	RequestID  string `json:"request_id"`
	DebugToken string `json:"debug_token"`
}

func problem(status int, code, message string, details any) answer {
	return says(status, problemDocument{code, message, details})
}

func errorAlone(status int, words string) answer {
	return says(status, struct {
		Error string `json:"error"`
	}{words})
}

// validationList is the 422 of a fault; with another status the agent has come across it elsewhere.
func validationList(status int, message string) answer {
	input := encode(struct {
		Type     string `json:"type"`
		Email    string `json:"email"`
		Password string `json:"password"`
	}{emailType, "desk@publisher.example", Canary + "-password"})
	return says(status, []validationError{
		{Type: "value_error", Loc: []string{emailType, "email"}, Msg: "Value error, " + message, Input: input,
			Ctx: map[string]string{"error": message}},
		{Type: "missing", Loc: []string{emailType, "rate_currency"}, Msg: "Field required", Input: input, URL: typesURL + "missing"},
	})
}

// takesJSON reports whether JSON is in a request's Accept.
func takesJSON(h http.Header) bool {
	accept := strings.Join(h.Values("Accept"), ",")
	has := func(media string) bool { return strings.Contains(accept, media) }
	return accept == "" || has("json") || has("*/*") || has("application/*")
}

// inText is an error for those who take no JSON.
func (a answer) inText() answer {
	if a.status >= 400 && a.contentType == contentJSON {
		a.contentType, a.body = "text/plain; charset=utf-8", []byte(http.StatusText(a.status)+"\n")
	}
	return a
}

// crash is what an error that the agent does not expect becomes.
func crash(status int, words string) answer {
	return says(status, struct {
		Error   string `json:"error"`
		ErrorID string `json:"error_id"`
	}{words, idOf("", words)})
}

// htmlPage is what a proxy before the agent writes.
func htmlPage(status int) answer {
	words := fmt.Sprintf("%d %s", status, http.StatusText(status))
	return answer{status: status, contentType: contentHTML, body: fmt.Appendf(nil,
		"<!doctype html>\n<html><head><title>%s</title></head>\n<body><h1>%s</h1><hr><address>edge-proxy</address></body></html>\n",
		words, words)}
}

// error gives the fault's error, to a request with this body, in its shape.
func (f Fault) error(request []byte) answer {
	code, message := f.Code, f.Message
	if code == "" {
		code = errorWord(f.Status)
	}
	if message == "" {
		message = "The agent was told to answer this."
	}
	shape := f.shape()
	if s := submittedIn(request); f.Echo && len(s.values) > 0 {
		switch shape {
		case ShapeProblem:
			return s.problem(f.Status, code)
		case ShapeList:
			return s.list(f.Status, request)
		}
	}
	switch shape {
	case ShapeAlone:
		return errorAlone(f.Status, code)
	case ShapeCrash:
		return crash(f.Status, code)
	case ShapeList:
		return validationList(f.Status, message)
	case ShapeHTML:
		return htmlPage(f.Status)
	}
	return problem(f.Status, code, message, &problemDetails{"req-0017", Canary + "-debug-token"})
}

func (f Fault) shape() Shape {
	if f.Shape != ShapeUsual {
		return f.Shape
	}
	switch f.Status {
	case http.StatusUnauthorized, http.StatusServiceUnavailable:
		return ShapeAlone
	case http.StatusUnprocessableEntity:
		return ShapeList
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return ShapeHTML
	case http.StatusInternalServerError:
		return ShapeCrash
	}
	return ShapeProblem
}

// errorWord is a word for the "error" field that no client knows by name.
func errorWord(status int) string {
	if text := http.StatusText(status); text != "" {
		return strings.ReplaceAll(strings.ToLower(text), " ", "_")
	}
	return fmt.Sprintf("status_%d", status)
}
