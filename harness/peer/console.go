package peer

import (
	"errors"
	"regexp"
	"time"

	"github.com/gdoilab/gdoilab/harness/router"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// Console is where an operator of a program types: over SSH, in the device's own namespace.
type Console struct {
	At  string
	SSH SSH
	Talk
	Begin []Text // what is typed first
}

// Talk is how a console talks.
type Talk struct {
	Prompt  *regexp.Regexp
	Answers []ConsoleAnswer
	Refused []*regexp.Regexp
	Within  time.Duration // for the answer to a line
}

// ConsoleAnswer is what is typed when a console asks.
type ConsoleAnswer struct {
	To     *regexp.Regexp
	With   Text
	Secret Given // in the place of With
}

// Session is a Console with everything rendered.
type Session struct {
	Login  router.Login
	Manner router.Manner
	Begin  []string
}

// consoleOf reads the console of a process.
func consoleOf(v yamldoc.Value, isProcess bool) *Console {
	c := &Console{At: v.Place(), Talk: Talk{Within: defaultWithin}}
	v.Fields(append(c.fields(), yamldoc.Field{Name: "ssh", Required: true, Read: c.SSH.read}, yamldoc.Optional("begin", &c.Begin, yamldoc.List(text)))...)
	if !isProcess {
		v.Problem("only a process has a console of its own; a router's is what it is configured by")
	}
	return c
}

// fields are those of how a console talks.
func (t *Talk) fields() []yamldoc.Field {
	return []yamldoc.Field{
		yamldoc.Required("prompt", &t.Prompt, expression),
		yamldoc.Optional("answers", &t.Answers, yamldoc.List(consoleAnswer)),
		yamldoc.Optional("refused", &t.Refused, yamldoc.List(expression)),
		yamldoc.Optional("within", &t.Within, moment),
	}
}

func consoleAnswer(v yamldoc.Value) (a ConsoleAnswer) {
	v.Fields(yamldoc.Required("to", &a.To, expression), yamldoc.Optional("with", &a.With, text), yamldoc.Optional("secret", &a.Secret, secret))
	if v.Has("with") == v.Has("secret") {
		v.Problem("write what to answer with, or where the secret is")
	}
	return a
}

// manner renders how a console talks.
func (w *writer) manner(t Talk) router.Manner {
	m := router.Manner{Prompt: t.Prompt, Refused: t.Refused, Within: t.Within}
	for _, a := range t.Answers {
		with, err := a.Secret.Value()
		w.errs = append(w.errs, err)
		if !a.Secret.Set() {
			with = w.one(a.With)
		}
		m.Answers = append(m.Answers, router.Answer{To: a.To, With: with, Secret: a.Secret.Set()})
	}
	return m
}

// session renders a console.
func (w *writer) session(c *Console) *Session {
	if c == nil {
		return nil
	}
	login, err := c.SSH.Reach()
	w.errs = append(w.errs, err)
	return &Session{Login: login, Manner: w.manner(c.Talk), Begin: w.all(c.Begin)}
}

// Reach is where the console is and how it is entered. An error says what this machine has yet to tell.
func (s SSH) Reach() (l router.Login, err error) {
	var errs []error
	value := func(g Given) string {
		text, err := g.Value()
		errs = append(errs, err)
		return text
	}
	l = router.Login{Address: value(s.Address), User: value(s.User), Password: value(s.Password), HostKey: value(s.HostKey), Old: s.Old}
	if s.Key.Set() {
		l.Key = []byte(value(s.Key) + "\n")
	}
	return l, errors.Join(errs...)
}
