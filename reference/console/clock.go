package console

import (
	"errors"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
)

// The forms of a time of day in a command: 23:42:41 28 July 2026.
const (
	hourForm  = "15:04:05"
	clockForm = hourForm + " 2 January 2006"
)

// clockWords are the words behind "clock".
func clockWords() *word {
	return privileged(keyword("clock", "Manage the system clock", keyword("set", "Set the time and date",
		parameter("hh:mm:ss", "Current time", isHour, nil, parameter("<1-31>", "Day of the month", isNumber, nil,
			parameter("MONTH", "Month of the year", isMonth, nil, parameter("<1993-2035>", "Year", isNumber, setClock)))))))
}

func isHour(text string) bool {
	_, err := time.Parse(hourForm, text)
	return err == nil
}

func isMonth(text string) bool {
	_, err := time.Parse("January", text)
	return err == nil
}

// setClock sets the time of day, in UTC.
func setClock(in *call) error {
	at, err := time.Parse(clockForm, strings.Join(in.args, " "))
	if err != nil {
		return errors.New("% There is no such day")
	}
	return in.console.ask(in.now, control.Clock, control.ClockArgs{Time: at}, nil)
}

// showClock is "show clock".
func showClock(in *call) error {
	at := in.now.Add(in.console.ahead).UTC()
	in.page.put(0, at.Format("*15:04:05.000 UTC Mon Jan 2 2006"), "clock", at.Format(time.RFC3339))
	return nil
}
