package policy

import "github.com/gdoilab/gdoilab/reference/yamldoc"

var kekBehaviours = yamldoc.Names[KEKBehaviour]{{"new", KEKNew}, {"old", KEKOld}}

// checkOfProfile refuses what only profile getvpn has in a group, and lifetimes that it has not.
func checkOfProfile(at yamldoc.Value, p Profile, g Group) {
	if err := g.CheckLifetimes(p); err != nil {
		at.Problem("%v", err)
	}
	if p != ProfileGETVPN && g.Rekey.KEKBehaviour != KEKNew {
		at.Problem("rekey.kek is for profile getvpn; leave it out")
	}
	if p != ProfileGETVPN && g.Rekey.Reminders {
		at.Problem("rekey.reminders are for profile getvpn; leave them out")
	}
}

// checkReminders refuses reminders that nobody could answer, and those beside a number of repetitions.
func checkReminders(v yamldoc.Value, r RekeyPolicy) {
	switch {
	case r.Reminders && r.Ack == AckNone:
		v.Problem("reminders go to who has not acknowledged; they need an \"ack\"")
	case r.Reminders && r.Retransmit > 0:
		v.Problem("reminders are sent until they are answered; leave out the field \"retransmit\"")
	}
}
