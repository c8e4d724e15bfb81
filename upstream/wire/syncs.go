package wire

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// maxStreams bounds the streams that are not known (64 in all), so that junk can
// neither fill the memory nor push out what is always served.
const maxStreams = 58

const knownStreams = 6

// knownStream gives the name of a stream of the builds known so far, else "".
func knownStream(name []byte) string {
	switch string(name) {
	case "inventory":
		return "inventory"
	case "custom_targeting":
		return "custom_targeting"
	case "advertisers":
		return "advertisers"
	case "reporting":
		return "reporting"
	case "signal_coverage":
		return "signal_coverage"
	case "pricing_availability":
		return "pricing_availability"
	}
	return ""
}

// syncs reads the sync streams: every name whose last value is an object.
func (r *reader) syncs() []Stream {
	r.in("syncs")
	defer r.out()
	if !r.open(jsontext.KindBeginObject) {
		return nil
	}
	streams, others := make([]Stream, 0, knownStreams), 0
	for name, more := r.name(); more; name, more = r.name() {
		known := knownStream(name)
		at := find(streams, name)
		switch {
		case len(name) == 0:
			r.malformed("?")
			r.skip()
			continue
		case at < 0 && known == "" && others == maxStreams:
			r.malformed("")
			r.skip()
			continue
		case at < 0 && known == "":
			others++
			streams = append(streams, Stream{Name: string(name)})
		case at < 0:
			streams = append(streams, Stream{Name: known})
		}
		if at < 0 {
			at = len(streams) - 1
		}
		if known == "" {
			known = segment(name)
		}
		r.in(known)
		if !r.stream(&streams[at]) {
			streams = slices.Delete(streams, at, at+1)
		}
		r.out()
	}
	return streams
}

// find gives the index of the stream of a name, or -1. (A Stream is too large to
// be handed to a function by value.)
func find(streams []Stream, name []byte) int {
	for i := range streams {
		if streams[i].Name == string(name) {
			return i
		}
	}
	return -1
}

// stream reads one stream's block; false if it is none.
func (r *reader) stream(s *Stream) bool {
	*s = Stream{Name: s.Name}
	if !r.open(jsontext.KindBeginObject) {
		return false
	}
	for name, more := r.name(); more; name, more = r.name() {
		switch string(name) {
		case "status":
			r.word(&s.Status, "status")
		case "severity":
			r.word(&s.Severity, "severity")
		case "last_run_at":
			r.time(&s.LastRunAt, "last_run_at")
		case "last_success_at":
			r.time(&s.LastSuccessAt, "last_success_at")
		case "item_count":
			r.count(&s.ItemCount, "item_count")
		case "error":
			r.text(&s.Error, "error")
		case "issue":
			s.Issue = r.issue()
		default:
			r.unknown(name)
		}
	}
	return true
}

func (r *reader) issue() (o Opt[Issue]) {
	r.in("issue")
	defer r.out()
	if o.Set = r.open(jsontext.KindBeginObject); !o.Set {
		return o
	}
	for name, more := r.name(); more; name, more = r.name() {
		switch string(name) {
		case "code":
			r.word(&o.Value.Code, "code")
		case "category":
			r.word(&o.Value.Category, "category")
		case "message":
			r.text(&o.Value.Message, "message")
		case "action":
			r.word(&o.Value.Action, "action")
		case "capability":
			r.word(&o.Value.Capability, "capability")
		case "retryable":
			r.flag(&o.Value.Retryable, "retryable")
		default:
			r.unknown(name)
		}
	}
	return o
}
