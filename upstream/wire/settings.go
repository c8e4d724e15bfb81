package wire

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"

	"github.com/go-json-experiment/json/jsontext"
)

// maxSettings bounds Settings.Raw, in bytes.
const maxSettings = 64 << 10

// DecodeSettings reads `GET T/adapters/{type}/config`. As it will be written back,
// it must be an object of at most 64 KiB that every reader takes alike: UTF-8, and no
// name twice in one object. The error is always an [*InvalidError].
func DecodeSettings(body []byte) (*Settings, error) {
	if err := checkSettings(body); err != nil {
		return nil, err
	}
	s := &Settings{Raw: bytes.Clone(body)}
	err := object(body, func(r *reader, name []byte) {
		switch string(name) {
		case "default_advertiser_id":
			r.text(&s.DefaultAdvertiserID, "default_advertiser_id")
		case "campaign_name_template":
			r.text(&s.CampaignNameTemplate, "campaign_name_template")
		case "default_demand_partner_id":
			r.count(&s.DefaultDemandPartnerID, "default_demand_partner_id")
		case "demand_class":
			r.text(&s.DemandClass, "demand_class")
		case "enable_key_value_targeting":
			r.flag(&s.EnableKeyValueTargeting, "enable_key_value_targeting")
		case "rate_currency":
			r.text(&s.RateCurrency, "rate_currency")
		default: // in Raw all the same
			r.skip()
		}
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ValidSettings reports whether raw may be written to `T/adapters/{type}/config`: what
// [DecodeSettings] takes.
func ValidSettings(raw []byte) bool { return checkSettings(raw) == nil }

func checkSettings(raw []byte) error {
	if len(raw) > maxSettings {
		return &InvalidError{"it is too large"}
	}
	// The reader is more lenient than this, and tells better what is wrong.
	if err := object(raw, func(r *reader, _ []byte) { r.skip() }); err != nil {
		return err
	}
	if !jsontext.Value(raw).IsValid() {
		return &InvalidError{"it is ambiguous: not UTF-8, or a name is there twice"}
	}
	return nil
}

// Format implements fmt.Formatter: Raw is shown to nobody.
func (Settings) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[settings]") }

// LogValue implements slog.LogValuer.
func (Settings) LogValue() slog.Value { return slog.StringValue("[settings]") }
