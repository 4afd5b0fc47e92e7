{{- /*
String: the one of some words that differs least from a word, by a letter that is wrong, missing or too much, by two
that changed places, or by case, "-" and "_". Empty if none does. Takes (dict "word" word "words" list).
*/}}
{{- define "mlflow.nearest" -}}
{{- $word := regexReplaceAll "[-_]" (lower .word) "" -}}
{{- $best := dict "word" "" "differs" 3 -}}
{{- range sortAlpha .words -}}
{{- $other := lower . -}}
{{- $head := include "mlflow.commonStart" (dict "one" $word "other" $other) | int -}}
{{- $tail := include "mlflow.commonStart" (dict
  "one" (splitList "" $word | reverse | join "")
  "other" (splitList "" $other | reverse | join "")) | int -}}
{{- $long := max (len $word) (len $other) -}}
{{- $differs := sub (sub $long $head) $tail -}}
{{- if and (lt $differs $best.differs) (ge $long (add 2 $differs)) -}}
{{- $best = dict "word" . "differs" $differs -}}
{{- end -}}
{{- end -}}
{{- $best.word -}}
{{- end }}

{{- /* String: how many characters two words begin with in common. Takes (dict "one" word "other" word). */}}
{{- define "mlflow.commonStart" -}}
{{- $ := . -}}
{{- $common := 0 -}}
{{- range $end := untilStep 1 (int (add1 (min (len .one) (len .other)))) 1 -}}
{{- if eq (substr 0 $end $.one) (substr 0 $end $.other) -}}{{- $common = $end -}}{{- end -}}
{{- end -}}
{{- $common -}}
{{- end }}
