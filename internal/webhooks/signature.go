package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	timestampHeader = "X-AdCP-Timestamp"
	signatureHeader = "X-AdCP-Signature"
	signaturePrefix = "sha256="

	tolerance       = 5 * time.Minute // how far a delivery's time may be from ours, either way
	maxTimestampLen = 12              // digits: well past the year 9999
)

// signature is what a delivery's headers say.
type signature struct {
	timestamp string // as it was written: it is part of what is signed
	at        time.Time
	mac       []byte
}

// readSignature reads the headers; each must come once.
func readSignature(header http.Header) (s signature, ok bool) {
	timestamps, signatures := header.Values(timestampHeader), header.Values(signatureHeader)
	if len(timestamps) != 1 || len(signatures) != 1 {
		return signature{}, false
	}
	s.timestamp = timestamps[0]
	if s.timestamp == "" || len(s.timestamp) > maxTimestampLen || strings.Trim(s.timestamp, "0123456789") != "" {
		return signature{}, false
	}
	seconds, err := strconv.ParseInt(s.timestamp, 10, 64)
	if err != nil {
		return signature{}, false
	}
	s.at = time.Unix(seconds, 0)
	digits, ok := strings.CutPrefix(signatures[0], signaturePrefix)
	if !ok || len(digits) != hex.EncodedLen(sha256.Size) {
		return signature{}, false
	}
	s.mac, err = hex.DecodeString(digits)
	return s, err == nil
}

// fresh reports whether the delivery is of now, so that an old one can't be played
// again for long.
func (s signature) fresh(now time.Time) bool { return s.at.Sub(now).Abs() <= tolerance }

// by reports, in constant time, whether a secret's holder signed the body.
func (s signature) by(secret string, raw []byte) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(s.timestamp))
	mac.Write([]byte{'.'})
	mac.Write(raw)
	return hmac.Equal(mac.Sum(nil), s.mac)
}
