package upstreamtest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// a2aRequest is a request of A2A over JSON-RPC, by 0.3 or by 1.0.
type a2aRequest struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  struct {
		ID      string `json:"id"`
		Message struct {
			ContextID string `json:"contextId"`
			Parts     []struct {
				Text string `json:"text"`
				Data *struct {
					Skill      string      `json:"skill"`
					Parameters *skillInput `json:"parameters"`
					Input      *skillInput `json:"input"`
				} `json:"data"`
			} `json:"parts"`
		} `json:"message"`
	} `json:"params"`
}

// methods of A2A 1.0, by those of 0.3.
var methods = map[string]string{
	"SendMessage": "message/send", "SendStreamingMessage": "message/stream", "GetTask": "tasks/get", "ListTasks": "tasks/list",
	"CancelTask": "tasks/cancel", "SubscribeToTask": "tasks/resubscribe",
}

type (
	a2aError struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	a2aAnswer struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Result  any             `json:"result,omitempty"` // one of the documents below
		Error   *a2aError       `json:"error,omitempty"`
	}
	a2aPart struct {
		Kind string          `json:"kind,omitempty"` // of 0.3
		Text string          `json:"text,omitempty"`
		Data json.RawMessage `json:"data,omitempty"`
	}
	a2aMessage struct {
		Kind  string    `json:"kind,omitempty"`
		ID    string    `json:"messageId"`
		Role  string    `json:"role"`
		Parts []a2aPart `json:"parts"`
	}
	a2aStatus struct {
		State   string      `json:"state"`
		Message *a2aMessage `json:"message,omitempty"`
	}
	a2aArtifact struct {
		ID    string    `json:"artifactId"`
		Name  string    `json:"name"`
		Parts []a2aPart `json:"parts"`
	}
	a2aTask struct {
		Kind      string        `json:"kind,omitempty"`
		ID        string        `json:"id"`
		ContextID string        `json:"contextId"`
		Status    a2aStatus     `json:"status"`
		Artifacts []a2aArtifact `json:"artifacts,omitempty"`
	}
	a2aUpdate struct {
		Kind      string       `json:"kind,omitempty"`
		TaskID    string       `json:"taskId"`
		ContextID string       `json:"contextId"`
		Status    *a2aStatus   `json:"status,omitempty"`
		Artifact  *a2aArtifact `json:"artifact,omitempty"`
		Final     bool         `json:"final,omitempty"`
	}
	a2aTasks struct {
		Tasks []a2aTask `json:"tasks"`
		Total int       `json:"totalSize"`
	}
	// a2aOne says by 1.0 what of all it is.
	a2aOne struct {
		Task     *a2aTask   `json:"task,omitempty"`
		Status   *a2aUpdate `json:"statusUpdate,omitempty"`
		Artifact *a2aUpdate `json:"artifactUpdate,omitempty"`
	}
)

// a2a is a request of A2A, and how it is answered.
type a2a struct {
	id  json.RawMessage
	new bool // by 1.0
}

func (v a2a) kind(name string) string {
	if v.new {
		return ""
	}
	return name
}

func (v a2a) state(s string) string {
	if v.new {
		return "TASK_STATE_" + strings.ToUpper(s)
	}
	return s
}

func (v a2a) gives(result any) answer {
	return says(http.StatusOK, a2aAnswer{Version: "2.0", ID: v.id, Result: result})
}

func (v a2a) fails(code int, message string) answer {
	return says(http.StatusOK, a2aAnswer{Version: "2.0", ID: v.id, Error: &a2aError{code, message}})
}

func (v a2a) status(t *task, s taskState) a2aStatus {
	status := a2aStatus{State: v.state(s.state)}
	if s.note != "" {
		role := "agent"
		if v.new {
			role = "ROLE_AGENT"
		}
		status.Message = &a2aMessage{v.kind("message"), idOf("msg_", t.id, s.note), role, []a2aPart{{Kind: v.kind("text"), Text: s.note}}}
	}
	return status
}

func (v a2a) artifact(t *task, s taskState) *a2aArtifact {
	if s.result == nil {
		return nil
	}
	return &a2aArtifact{"artifact_" + t.id, t.skill, []a2aPart{{Kind: v.kind("data"), Data: s.result}}}
}

func (v a2a) task(t *task) a2aTask {
	s, _ := t.stands()
	doc := a2aTask{Kind: v.kind("task"), ID: t.id, ContextID: t.context, Status: v.status(t, s)}
	if artifact := v.artifact(t, s); artifact != nil {
		doc.Artifacts = []a2aArtifact{*artifact}
	}
	return doc
}

// one gives a task by itself, as 0.3 does, or says that it is one.
func (v a2a) one(t *task) any {
	doc := v.task(t)
	if v.new {
		return a2aOne{Task: &doc}
	}
	return doc
}

// speakA2A answers a buyer's request of A2A.
func (a *Agent) speakA2A(r *http.Request, c call, l conn) answer {
	if r.Method != http.MethodPost {
		return htmlPage(http.StatusMethodNotAllowed)
	}
	who, refused := a.admit(r)
	if refused.status != 0 {
		return refused
	}
	var req a2aRequest
	v := a2a{id: json.RawMessage("null")}
	if json.Unmarshal(c.body, &req) != nil || req.Version != "2.0" {
		return v.fails(-32700, "The request can't be read.")
	}
	if req.ID != nil {
		v.id = req.ID
	}
	method := req.Method
	if old, is := methods[method]; is {
		v.new, method = true, old
	}
	switch method {
	case "message/send", "message/stream":
		t := a.begin(who, req)
		switch {
		case t == nil:
			return v.fails(-32602, "No such skill.")
		case method == "message/stream":
			return a.streamTask(r, v, t, l)
		}
		return a.awaitTask(r, v, t, l)
	case "tasks/list":
		list := a2aTasks{Tasks: []a2aTask{}}
		for _, t := range a.buyers.tasks.of(who) {
			list.Tasks = append(list.Tasks, v.task(t))
		}
		list.Total = len(list.Tasks)
		return v.gives(list)
	case "tasks/get", "tasks/cancel", "tasks/resubscribe":
	default:
		return v.fails(-32601, "No such method.")
	}
	t := a.buyers.tasks.find(who, req.Params.ID)
	switch {
	case t == nil:
		return v.fails(-32001, "No such task.")
	case method == "tasks/resubscribe":
		return a.streamTask(r, v, t, l)
	case method == "tasks/cancel":
		t.set(taskState{state: taskCanceled})
		t.cancel()
	}
	return v.gives(v.task(t))
}

// begin begins the task that a message asks for: the skill that its data names, or what text asks for. nil: neither.
func (a *Agent) begin(who buyer, req a2aRequest) *task {
	name, in := "", skillInput{}
	for _, part := range req.Params.Message.Parts {
		switch {
		case part.Data != nil:
			name = part.Data.Skill
			if given := cmp.Or(part.Data.Parameters, part.Data.Input); given != nil {
				in = *given
			}
		case part.Text != "" && name == "":
			name, in.Brief = "get_products", part.Text
		}
	}
	s, ok := findSkill(name)
	if !ok {
		return nil
	}
	a.mu.Lock()
	id := a.newID("task_")
	a.mu.Unlock()
	t := &task{id: id, context: cmp.Or(req.Params.Message.ContextID, "ctx_"+id), owner: who, skill: name}
	return a.buyers.tasks.start(t, func(ctx context.Context, tell func(string)) (json.RawMessage, error) {
		return s.does(a, ctx, who, in, tell)
	})
}

// awaitTask answers when a task has ended.
func (a *Agent) awaitTask(r *http.Request, v a2a, t *task, l conn) answer {
	ctx, done := l.context(r.Context())
	defer done()
	for {
		s, changed := t.stands()
		if s.state != taskWorking {
			return v.gives(v.one(t))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			drop()
		}
	}
}

// streamTask answers with what becomes of a task, one event for each change.
func (a *Agent) streamTask(r *http.Request, v a2a, t *task, l conn) answer {
	return answer{status: http.StatusOK, stream: func(w http.ResponseWriter) {
		ctx, done := l.context(r.Context())
		defer done()
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-cache")
		send := func(result any) {
			_, _ = fmt.Fprintf(w, "data: %s\n\n", strings.TrimSpace(string(encode(a2aAnswer{Version: "2.0", ID: v.id, Result: result}))))
			flush(w)
		}
		send(v.one(t))
		for {
			s, changed := t.stands()
			if artifact := v.artifact(t, s); artifact != nil {
				send(v.update(a2aUpdate{Kind: v.kind("artifact-update"), TaskID: t.id, ContextID: t.context, Artifact: artifact}))
			}
			status, ended := v.status(t, s), s.state != taskWorking
			send(v.update(a2aUpdate{Kind: v.kind("status-update"), TaskID: t.id, ContextID: t.context, Status: &status, Final: ended && !v.new}))
			if ended {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}}
}

// update gives an update by itself, or says which it is.
func (v a2a) update(u a2aUpdate) any {
	switch {
	case !v.new:
		return u
	case u.Artifact != nil:
		return a2aOne{Artifact: &u}
	}
	return a2aOne{Status: &u}
}
