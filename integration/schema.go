package integration

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// schema is a JSON Schema, draft 7 as AsyncAPI has it.
type schema map[string]any

// schemaOf describes the JSON of our own documents.
func schemaOf[T any]() schema { return schemaOfType(reflect.TypeFor[T]()) }

func schemaOfType(t reflect.Type) schema {
	switch t {
	case reflect.TypeFor[value]():
		panic("what a value can be only the schema tag of its field says")
	case reflect.TypeFor[time.Time]():
		return schema{"type": "string", "format": "date-time"}
	case reflect.TypeFor[json.RawMessage]():
		return schema{}
	case reflect.TypeFor[EventType]():
		return schema{"type": "string", "enum": eventTypes()}
	case reflect.TypeFor[connection]():
		return schema{"type": "string", "enum": connections()}
	case reflect.TypeFor[Access]():
		return schema{"type": "string", "enum": []Access{AccessRead, AccessControl, AccessFull}}
	case reflect.TypeFor[Code]():
		return codeSchema()
	}
	switch t.Kind() {
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Float64:
		return schema{"type": "number"}
	case reflect.Pointer:
		return schema{"oneOf": []schema{schemaOfType(t.Elem()), {"type": "null"}}}
	case reflect.Slice:
		return schema{"type": "array", "items": schemaOfType(t.Elem())}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": schemaOfType(t.Elem())}
	case reflect.Struct:
		return schemaOfStruct(t)
	case reflect.Interface:
		return schema{}
	}
	return schema{"type": "integer"}
}

func codeSchema() schema {
	var list []Code
	for _, k := range codes() {
		list = append(list, k.code)
	}
	return schema{"type": "string", "enum": list}
}

func schemaOfStruct(t reflect.Type) schema {
	properties, required := schema{}, []string{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		optional := strings.Contains(options, "omitempty")
		switch kind := f.Tag.Get("schema"); {
		case kind != "":
			properties[name] = namedSchema(kind)
		case optional && f.Type.Kind() == reflect.Pointer:
			properties[name] = schemaOfType(f.Type.Elem()) // it is there or not, but never null
		default:
			properties[name] = schemaOfType(f.Type)
		}
		if !optional {
			required = append(required, name)
		}
	}
	return schema{"type": "object", "properties": properties, "required": required}
}

// namedSchema reads a field's schema tag, which values have and what else its Go type
// doesn't tell: JSON types, or time for a point in time. What a value can be may
// always be unknown.
func namedSchema(kind string) schema {
	if kind == "time" {
		return schema{"type": []string{"string", "null"}, "format": "date-time"}
	}
	return schema{"type": append(strings.Fields(kind), "null")}
}
