package integration

// parameter is one of an action's, for the documentation. That actions take what
// theirs say, and nothing else, a test holds.
type parameter struct {
	name     string
	about    string // a sentence
	schema   schema
	required bool
}

// needs is a parameter that the action can't do without.
func needs(name string, s schema, about string) parameter {
	return parameter{name: name, about: about, schema: s, required: true}
}

// takes is a parameter that may be left out.
func takes(name string, s schema, about string) parameter {
	return parameter{name: name, about: about, schema: s}
}

func textSchema() schema    { return schema{"type": "string"} }
func numberSchema() schema  { return schema{"type": "number"} }
func booleanSchema() schema { return schema{"type": "boolean"} }

// lineSchema is a text of 1 to so many characters.
func lineSchema(longest int) schema {
	return schema{"type": "string", "minLength": 1, "maxLength": longest}
}

func choiceSchema(choices ...string) schema { return schema{"type": "string", "enum": choices} }

func rangeSchema(low, high float64) schema {
	return schema{"type": "number", "minimum": low, "maximum": high}
}

func wholeSchema(low, high int) schema {
	return schema{"type": "integer", "minimum": low, "maximum": high}
}

func listSchema(of schema, most int) schema {
	return schema{"type": "array", "items": of, "minItems": 1, "maxItems": most}
}
