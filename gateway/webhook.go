package gateway

import (
	"errors"
	"net/http"

	"esagate/internal/fault"
)

// WebhookPath is where the sales agent's deliveries come in, behind the public URL.
const WebhookPath = "/webhooks/esa-sync"

// maxDelivery bounds a delivery in bytes: it is a small document, read before its
// sender is known. So many bytes a connection are all that senders can hold.
const maxDelivery = 16 << 10

var errLargeDelivery = fault.New(fault.TooLarge, "A delivery can't be larger than 16 KiB.")

func (g *Gateway) receiveWebhook(w http.ResponseWriter, r *request) error {
	read := func() ([]byte, error) {
		body, err := readBody(r, maxDelivery)
		if errors.Is(err, errTooLarge) {
			err = errLargeDelivery
		}
		return body, err
	}
	// A sender that leaves as soon as the body is out has delivered all the same.
	if err := g.deps.Receiver.Receive(detached(r), r.Header, read); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
