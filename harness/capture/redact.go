package capture

// Redacted stands where a secret value was.
const Redacted = "(redacted)"

// Redact returns the messages without secret values. The messages given are not changed.
func Redact(messages []Message) []Message {
	out := make([]Message, len(messages))
	for i, m := range messages {
		m.Payloads = redactFields(m.Payloads)
		out[i] = m
	}
	return out
}

func redactFields(fields []Field) []Field {
	if fields == nil {
		return nil
	}
	out := make([]Field, len(fields))
	for i, f := range fields {
		if f.Secret {
			f.Value, f.Children = Redacted, nil
		}
		f.Children = redactFields(f.Children)
		out[i] = f
	}
	return out
}
