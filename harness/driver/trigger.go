package driver

import "github.com/gdoilab/gdoilab/reference/control"

// The triggers that are no commands of package control.
const (
	TriggerReplace    = "replace"     // args: control.RekeyArgs with Replace; answer: control.RekeyResult
	TriggerRoleChange = "role-change" // of a cooperative key server; args: {"role": "primary" or "secondary"}
)

// Triggers are what a device can be told. All but the last two are commands of package control, with their arguments and answers.
var Triggers = []string{
	control.Register, control.Rekey, control.Clear, control.ClearReplay, control.Exclude, control.Readmit, control.Configure,
	control.Attach, control.Detach, control.ReceiveOnly, control.Direction, control.Console,
	TriggerReplace, TriggerRoleChange,
}

// triggerPrefix begins the name of the capability to do what a trigger says.
const triggerPrefix = "trigger:"

// TriggerCapability is the name of the capability to take a trigger.
func TriggerCapability(name string) string { return triggerPrefix + name }
