package verdict

// Subject is the specs of one subject, in the order of the run.
type Subject struct {
	Name    string
	Specs   []Spec
	Summary map[Verdict]int
	Seconds float64
}

// count is how many specs have a verdict.
func (r *Run) count(v Verdict) int {
	n := 0
	for _, s := range r.Specs {
		if s.Verdict == v {
			n++
		}
	}
	return n
}

// Subjects groups the specs by subject, in the order in which the subjects first appear.
func (r *Run) Subjects() []Subject {
	index := make(map[string]int)
	var subjects []Subject
	for _, s := range r.Specs {
		i, known := index[s.Subject]
		if !known {
			i = len(subjects)
			index[s.Subject] = i
			subjects = append(subjects, Subject{Name: s.Subject})
		}
		subjects[i].Specs = append(subjects[i].Specs, s)
		subjects[i].Seconds += s.Seconds
	}
	for i := range subjects {
		subjects[i].Summary = Tally(subjects[i].Specs)
	}
	return subjects
}
