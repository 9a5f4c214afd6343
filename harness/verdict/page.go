package verdict

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/catalog"
)

var (
	//go:embed report.gohtml
	pageText string
	//go:embed report.css
	styleText string
	//go:embed report.js
	scriptText string

	page = template.Must(template.New("report").Funcs(template.FuncMap{
		"laneLines": laneLines, "percent": percent, "seconds": seconds, "anchor": anchor, "bar": newBar, "outcome": colour,
		"classes": func() []catalog.Class { return catalog.Classes },
	}).Parse(pageText))
)

// pageData is what the template of the page gets.
type pageData struct {
	*Report
	Style    template.CSS
	Script   template.JS
	Failed   bool
	Headline string
	Verdicts []Verdict
	Subjects []subjectView
	LaneSets []int
}

type subjectView struct {
	Subject
	Views []specView
}

// specView is one spec as the template shows it.
type specView struct {
	Spec
	Anchor  string
	Open    bool
	Results []Result // of its requirements
	Files   []string // of its evidence folder
	Diagram *diagram
	Missing string // why there is no diagram
}

// writeHTML writes the page: one file that needs no other to be read.
func writeHTML(w io.Writer, dir string, report *Report) error {
	data := pageData{Report: report, Style: template.CSS(styleText), Script: template.JS(scriptText), Verdicts: onPage(report.Summary),
		Failed: report.Exit() != 0, Headline: headline(&report.Run)}
	for n := 1; n <= maxLanes; n++ {
		data.LaneSets = append(data.LaneSets, n)
	}
	results := make(map[string]Result, len(report.Requirements))
	for _, q := range report.Requirements {
		results[q.ID] = q
	}
	data.Subjects = subjectViews(dir, report, results)
	return page.Execute(w, data)
}

// onPage are the verdicts that the page shows even if nobody got them, and those about expectations if somebody did.
func onPage(of map[Verdict]int) []Verdict {
	return slices.DeleteFunc(slices.Clone(Verdicts), func(v Verdict) bool {
		return (v == ExpectedFailure || v == UnexpectedPass) && of[v] == 0
	})
}

// subjectViews gathers the specs by subject. When few specs need attention, theirs are open from the start.
func subjectViews(dir string, report *Report, results map[string]Result) []subjectView {
	var out []subjectView
	index := make(map[string]int)
	for i, s := range report.Run.Subjects() {
		index[s.Name] = i
		out = append(out, subjectView{Subject: s})
	}
	attention := 0
	for v, n := range report.Summary {
		if v.attention() {
			attention += n
		}
	}
	for _, v := range views(dir, report.Specs, results) {
		v.Open = attention <= 3 && v.Verdict.attention()
		of := &out[index[v.Subject]]
		of.Views = append(of.Views, v)
	}
	return out
}

// views makes the views of all specs, in their order, several at a time.
func views(dir string, specs []Spec, results map[string]Result) []specView {
	out := make([]specView, len(specs))
	share := budgets(specs)
	var wait sync.WaitGroup
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, s := range specs {
		room <- struct{}{}
		wait.Go(func() {
			out[i] = view(dir, i, s, share[i], results)
			<-room
		})
	}
	wait.Wait()
	return out
}

// view gathers what the page shows of one spec.
func view(dir string, number int, s Spec, budget int, results map[string]Result) specView {
	v := specView{Spec: s, Anchor: anchor(s.ID)}
	for _, id := range s.Requirements {
		v.Results = append(v.Results, results[id])
	}
	if s.Evidence == "" {
		v.Missing = "This spec left no evidence."
		return v
	}
	folder := filepath.Join(dir, filepath.FromSlash(s.Evidence))
	v.Files = files(folder)
	talk, err := conversation(folder)
	switch {
	case err != nil:
		v.Missing = fmt.Sprintf("The conversation cannot be shown: %v", err)
	case len(talk.Messages) == 0:
		v.Missing = "No packet was captured."
	default:
		v.Diagram = draw(fmt.Sprintf("m%d", number+1), talk, budget)
	}
	return v
}

func conversation(folder string) (capture.Conversation, error) {
	f, err := os.Open(filepath.Join(folder, FileMessages))
	if err != nil {
		return capture.Conversation{}, err
	}
	defer f.Close()
	return capture.ReadJSON(f)
}

// files lists an evidence folder, the capture first; folders end in a slash.
func files(folder string) []string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if e.Type()&fs.ModeType == 0 {
			names = append(names, e.Name())
		} else if e.IsDir() {
			names = append(names, e.Name()+"/")
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return first(b) - first(a) })
	return names
}

func first(name string) int {
	if name == FileCapture {
		return 1
	}
	return 0
}

// headline says the run in one sentence.
func headline(r *Run) string {
	ran, bad := 0, 0
	for _, s := range r.Specs {
		if s.Verdict.attention() {
			bad++
		}
		if s.Verdict.attention() || s.Verdict == Pass || s.Verdict == ExpectedFailure {
			ran++
		}
	}
	known := r.count(ExpectedFailure)
	switch {
	case len(r.Specs) == 0:
		return "No spec was selected."
	case bad > 0:
		return fmt.Sprintf("%d of %d specs that ran did not pass.", bad, ran)
	case ran == 0:
		return "No spec ran."
	case known > 0:
		return fmt.Sprintf("%d of %d specs that ran passed; %d failed as expected.", ran-known, ran, known)
	}
	return fmt.Sprintf("All %d specs that ran passed.", ran)
}

// colour is the verdict whose colour an outcome has on the page.
func colour(o Outcome) Verdict {
	switch o {
	case Met:
		return ExpectedFailure
	case NotSeen:
		return Skipped
	}
	return Fail
}

// bar is a line that shows the share of each verdict.
type bar struct {
	Of       map[Verdict]int
	Total    int
	Verdicts []Verdict
}

func newBar(of map[Verdict]int) bar {
	b := bar{Of: of, Verdicts: Verdicts}
	for _, n := range of {
		b.Total += n
	}
	return b
}

// laneLines is the path of n lifelines.
func laneLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "M%d 0V46", laneX(i, n))
	}
	return b.String()
}

// percent is the share of n in total, for the width of a bar.
func percent(n, total int) string {
	if total == 0 {
		return "0"
	}
	return fmt.Sprintf("%.3f", float64(n)*100/float64(total))
}

// seconds is a duration for people.
func seconds(s float64) string {
	switch {
	case s < 0.0995:
		return fmt.Sprintf("%.0f ms", s*1000)
	case s < 100:
		return fmt.Sprintf("%.2f s", s)
	}
	return fmt.Sprintf("%.0f s", s)
}

// anchor makes an id into one that stands in a link without escapes.
func anchor(id string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, id)
}
