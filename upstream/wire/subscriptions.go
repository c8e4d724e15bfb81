package wire

import "github.com/go-json-experiment/json/jsontext"

// maxWebhooks bounds the subscriptions of one tenant that are read; what comes after
// that many is dropped.
const maxWebhooks = 1000

// DecodeWebhook reads the answer to `POST T/webhooks`. It needs webhook_id, a string.
// The error is always an [*InvalidError].
func DecodeWebhook(body []byte) (*Webhook, error) {
	w := new(Webhook)
	switch err := object(body, w.member); {
	case err != nil:
		return nil, err
	case w.WebhookID == "":
		return nil, &InvalidError{"it has no webhook_id"}
	}
	return w, nil
}

// DecodeWebhooks reads `GET T/webhooks`. It needs webhooks, a list, of which those
// entries are given that have a webhook_id. The error is always an [*InvalidError].
func DecodeWebhooks(body []byte) ([]Webhook, error) {
	var hooks []Webhook
	listed := false
	err := object(body, func(r *reader, name []byte) {
		if string(name) != "webhooks" {
			r.skip()
			return
		}
		hooks = nil
		listed = r.items("webhooks", func() {
			if len(hooks) == maxWebhooks || r.peek() != jsontext.KindBeginObject {
				r.skip()
				return
			}
			var w Webhook
			r.members("[]", func(name []byte) { w.member(r, name) })
			if w.WebhookID != "" {
				hooks = append(hooks, w)
			}
		})
	})
	switch {
	case err != nil:
		return nil, err
	case !listed:
		return nil, &InvalidError{"it has no list of webhooks"}
	}
	return hooks, nil
}

// member reads one member of a subscription. Its secret is passed over.
func (w *Webhook) member(r *reader, name []byte) {
	switch string(name) {
	case "webhook_id":
		r.id(&w.WebhookID, "webhook_id")
	case "url":
		r.id(&w.URL, "url")
	case "is_active":
		var active Opt[bool]
		r.flag(&active, "is_active")
		w.IsActive = active.Value
	default:
		r.skip()
	}
}
