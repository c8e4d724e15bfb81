package lifecycle_test

import (
	"fmt"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// TestNotTheCallersFault: what upstream does not accept of the gateway's own is no 400.
func TestNotTheCallersFault(t *testing.T) {
	bodies := map[int]string{400: `{"error":"bad","message":"No."}`, 422: `[{"loc":["body","username"],"msg":"Too odd."}]`}
	for op, call := range map[string]func(w *world, id int64) error{
		"get-settings": func(w *world, id int64) error {
			_, err := w.one.Save(w.Context(), customer, id, w.parse(freewheelNew))
			return err
		},
		"deactivate": func(w *world, id int64) error {
			_, err := w.one.Deactivate(w.Context(), customer, id)
			return err
		},
		"reactivate": func(w *world, id int64) error {
			_, err := w.one.Deactivate(w.Context(), customer, id)
			w.must(err)
			_, err = w.one.Reactivate(w.Context(), customer, id)
			return err
		},
		"test": func(w *world, id int64) error {
			_, _, err := w.one.Test(w.Context(), customer, id)
			return err
		},
		"refresh": func(w *world, id int64) error {
			_, err := w.one.Refresh(w.Context(), customer, id)
			return err
		},
	} {
		for status, body := range bodies {
			t.Run(fmt.Sprint(op, " ", status), func(t *testing.T) {
				inWorld(t, func(w *world) {
					id := w.connected(freewheel).Connection.ID
					w.agent.next(op, refuse(status, body))
					f := w.fails(call(w, id), fault.Unavailable)
					if f.Reason != fault.UpstreamInvalidResponse || len(f.Issues) != 0 || f.Field != "" || f.ErrorCode != "" {
						w.Errorf("%d: %+v", status, f)
					}
					if c := w.stored(id); c.Operation != nil {
						w.Errorf("%+v", c.Operation)
					}
				})
			})
		}
	}
}

// TestWhileItIsSetUp: what needs a tenant is told that one is being made.
func TestWhileItIsSetUp(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.pending("weekly").Connection.ID
		w.agent.next("provision", behaviour{before: 20 * time.Second})
		go func() { _, _ = w.one.Save(w.Context(), customer, id, w.parse(freewheel)) }()
		w.pass(time.Second)
		for name, call := range map[string]func() error{
			"test": func() error {
				_, _, err := w.one.Test(w.Context(), customer, id)
				return err
			},
			"refresh": func() error {
				_, err := w.one.Refresh(w.Context(), customer, id)
				return err
			},
			"deactivate": func() error {
				_, err := w.one.Deactivate(w.Context(), customer, id)
				return err
			},
			"reactivate": func() error {
				_, err := w.one.Reactivate(w.Context(), customer, id)
				return err
			},
			"rotate": func() error {
				_, err := w.one.Rotate(w.Context(), customer, id, w.parse(freewheel))
				return err
			},
		} {
			if f := w.fails(call(), fault.Conflict); f.RetryAfter <= 0 {
				w.Errorf("%s: %v", name, f)
			}
		}
		w.pass(time.Minute)
		w.is(w.stored(id), registry.StatusActive, "")
	})
}
