package wire

import "github.com/go-json-experiment/json/jsontext"

// maxTasks bounds the setup tasks; what comes after that many is dropped.
const maxTasks = 1000

func (r *reader) setupTasks() (o Opt[[]Task]) {
	r.in("setup_tasks")
	defer r.out()
	if !r.open(jsontext.KindBeginObject) {
		return o
	}
	for name, more := r.name(); more; name, more = r.name() {
		switch string(name) {
		case "items":
			o = r.tasks()
		case "blocker_count", "warning_count": // counted anew
			r.skip()
		default:
			r.unknown(name)
		}
	}
	return o
}

func (r *reader) tasks() (o Opt[[]Task]) {
	r.in("items")
	if o.Set = r.open(jsontext.KindBeginArray); !o.Set {
		r.out()
		return o
	}
	r.out()
	r.in("items[]")
	defer r.out()
	for r.item() {
		if len(o.Value) == maxTasks {
			r.malformed("")
			r.skip()
			continue
		}
		if o.Value == nil {
			o.Value = make([]Task, 0, 8)
		}
		// Read in place: a Task is large.
		o.Value = append(o.Value, Task{})
		if !r.task(&o.Value[len(o.Value)-1]) {
			o.Value = o.Value[:len(o.Value)-1]
		}
	}
	return o
}

// task reads one task; false if it is no object or has no id.
func (r *reader) task(t *Task) bool {
	if !r.open(jsontext.KindBeginObject) {
		return false
	}
	var id Opt[string]
	for name, more := r.name(); more; name, more = r.name() {
		switch string(name) {
		case "id":
			r.word(&id, "id")
		case "name":
			r.text(&t.Name, "name")
		case "severity":
			r.word(&t.Severity, "severity")
		case "scope":
			r.word(&t.Scope, "scope")
		case "description":
			r.text(&t.Description, "description")
		case "is_complete":
			r.flag(&t.IsComplete, "is_complete")
		case "configure_path":
			r.text(&t.ConfigurePath, "configure_path")
		default:
			r.unknown(name)
		}
	}
	if !id.Set {
		r.malformed("id")
	}
	t.ID = id.Value
	return id.Set
}
