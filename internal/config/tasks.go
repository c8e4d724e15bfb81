package config

// Bounds of a platform task's texts, in characters.
const (
	mostTaskID      = 128
	mostTaskName    = 255
	mostDescription = 2000
	mostExpression  = 4096
)

// platformTasks checks the texts. Which ids, paths and expressions make tasks is
// judged where they are made, by a Check.
func (v *validator) platformTasks(tasks []PlatformTask) {
	for i, task := range tasks {
		path := item("platform_tasks", i)
		if v.required(child(path, "id"), task.ID != "") {
			v.text(child(path, "id"), task.ID, plainText(1, mostTaskID))
		}
		v.optional(child(path, "name"), task.Name, plainText(1, mostTaskName))
		v.optional(child(path, "severity"), task.Severity, oneOf("blocker", "warning", "info"))
		v.optional(child(path, "description"), task.Description, paragraph(mostDescription))
		v.optional(child(path, "complete_when"), task.CompleteWhen, paragraph(mostExpression))
	}
}
