use super::*;

fn read(text: &str) -> Branches {
    *Branches::read(text, false).unwrap()
}

fn readings(text: &str) -> Vec<String> {
    let branches = read(text);
    (0..branches.readings())
        .map(|reading| {
            let mut bytes = text.as_bytes().to_vec();
            branches.blank(&mut bytes, reading);
            let text = String::from_utf8(bytes).unwrap();
            text.split_whitespace().filter(|word| word.ends_with(';')).collect::<Vec<_>>().join("")
        })
        .collect()
}

#[test]
fn one_branch_is_taken_at_a_time_in_every_language() {
    for text in [
        "{% if x %}\na;\n{% elif y %}\nb;\n{%- else -%}\nc;\n{% endif %}\nd;\n",
        "<% if x -%>\na;\n<% elsif y %>\nb;\n<% else %>\nc;\n<% end %>\nd;\n",
        "<% if $x { -%>\na;\n<% } elsif $y { -%>\nb;\n<% } else { -%>\nc;\n<% } -%>\nd;\n",
        "{{ if .X }}\na;\n{{ else if .Y }}\nb;\n{{- else }}\nc;\n{{ end }}\nd;\n",
        "{% if x %} a; {% elif y %} b; {% else %} c; {% endif %}\nd;\n",
    ] {
        assert_eq!(readings(text), ["a;d;", "b;d;", "c;d;"], "{text}");
    }
    assert_eq!(readings("%{ if x ~}\na;\n%{ else ~}\nb;\n%{ endif ~}\n"), ["a;", "b;"]);
    assert_eq!(readings("{{#if x}}\na;\n{{else}}\nb;\n{{/if}}\n"), ["a;", "b;"]);
    assert_eq!(readings("<% unless x %>\na;\n<% else %>\nb;\n<% end %>\n"), ["a;", "b;"]);
}

#[test]
fn a_condition_without_else_is_always_taken() {
    assert_eq!(readings("{% if x %}\na;\n{% endif %}\nb;\n"), ["a;b;"]);
}

#[test]
fn chains_within_chains_are_read_in_all_ways_and_equal_questions_get_equal_answers() {
    let inner = "{% if y %}\na;\n{% else %}\nb;\n{% endif %}";
    assert_eq!(readings(&format!("{{% if x %}}\n{inner}\n{{% else %}}\nc;\n{{% endif %}}\n")), ["a;", "b;", "c;"]);
    let twice = "{% if x %}\na;\n{% else %}\nb;\n{% endif %}\n{% if not x %}\nc;\n{% else %}\nd;\n{% endif %}\n";
    assert_eq!(readings(twice), ["a;d;", "b;c;"]);
}

#[test]
fn too_many_ways_are_read_as_one() {
    let mut text = String::new();
    for _ in 0..17 {
        text = format!("{{% if x %}}\na;\n{{% else %}}\n{text}\n{{% endif %}}\n");
    }
    assert_eq!(readings(&text), ["a;".repeat(17)]);
}

#[test]
fn what_stands_for_an_empty_loop_never_counts() {
    for text in [
        "{{range service \"x\"}}\na;\n{{else}}\nb;\n{{end}}\n",
        "{{range service \"x\"}} a; {{else}} b; {{end}}\n",
        "{% for x in y %}\na;\n{% else %}\nb;\n{% endfor %}\n",
    ] {
        assert_eq!(readings(text), ["a;"], "{text}");
    }
}

#[test]
fn a_tag_within_a_statement_is_left_alone() {
    let text = "listen {% if x %} a;\n {% else %} b;\n {% endif %}\n";
    assert_eq!(readings(text), ["a;b;"]);
    let branches = read(text);
    let place = |word: &str| text.find(word).unwrap() as u32;
    assert!(branches.exclude_each_other(place("a;"), place("b;")));
    assert!(!branches.exclude_each_other(place("a;"), place("a;")));
    assert_eq!(branches.all_of(0), Some(2));
}

#[test]
fn places_know_what_is_around_them() {
    let text = "a; {% for x in y %} b; {% if z %} c; {% endif %} {% endfor %} d;";
    let branches = read(text);
    let place = |word: &str| text.find(word).unwrap() as u32;
    assert!(!branches.is_within(place("a;")) && branches.is_within(place("b;")) && !branches.is_within(place("d;")));
    assert_eq!(branches.branches_around(place("b;")).count(), 0);
    assert_eq!(branches.branches_around(place("c;")).count(), 1);
    assert_eq!(branches.all_of(0), None);
    assert!(branches.begin_in(0..text.len() as u32) && !branches.begin_in(place("d;")..text.len() as u32));
    let choice = "{% if x %}\na;\n{% else %}\nb;\n{% endif %}\n";
    assert!(!read(choice).begin_in(0..choice.len() as u32));
    let other = "{{ '{%' }} if x {{ '%}' }}\na;\n{% if x %}\nb;\n{% endif %}\n";
    assert!(read(other).is_within(other.find("a;").unwrap() as u32) && read(other).readings() == 1);
}

#[test]
fn half_blocks_are_found() {
    let text = "{% if x %}\ngeo $a {\n{% endif %}\n{% if y %}\na {{ b }};\n{% endif %}\n}\n";
    assert_eq!(read(text).halves(text.as_bytes()).len(), 1);
}

#[test]
fn terraform_is_told_by_what_nginx_does_not_write() {
    assert_eq!(terraform("proxy_pass http://${backend}:${port};", true), None);
    assert_eq!(terraform("log-format %{+Q}o %ci", true), None);
    assert_eq!(terraform("a ${x.y} ${z};", true).as_deref(), Some("a {{__}} {{}};"));
    assert_eq!(
        terraform("%{ for x in y ~}\n${x} $host $${h}\n%{ endfor ~}\n", true).unwrap().lines().nth(1),
        Some("{{}} $host $${h}")
    );
    assert_eq!(terraform("listen ${PORT:-80};", true), None);
    assert_eq!(terraform("bind ${X[*]}", false), None);
}

#[test]
fn hostile_texts_are_read_in_linear_time() {
    for part in ["{% if x %}\n", "{% else %}\n", "{% endif %}\n", "%{ if x }", "${x", "<% if x { %>\n", "{% if x %} "] {
        let text = part.repeat(50_000);
        let branches = Branches::read(&text, false);
        let _ = terraform(&text, true);
        if let Some(branches) = branches {
            let mut bytes = text.clone().into_bytes();
            branches.blank(&mut bytes, 0);
            assert!(branches.readings() <= MAX_READINGS);
            assert!(branches.around(text.len() as u32 - 1).count() <= MAX_DEPTH);
        }
    }
}

#[test]
fn yaml_of_a_chart_is_yaml() {
    let text = "{{- if .Values.x }}\na: {{ .b }}-c\n  {{- include \"d\" . | nindent 2 }}\n{{ .k }}{{ .l }}: e\n{{- else }}\na: 2\n\
                {{- end }}\n{{/* f\n g */}}\nh: \"{{ .i }}\" {{ .j }}\n";
    let yaml = template_yaml(text);
    assert_eq!(yaml.len(), text.len());
    let lines: Vec<&str> = yaml.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, ["a: xxxxxxxx-c", "xxxxxxxxxxxxxxxx: e", "h: \"xxxxxxxx\" xxxxxxxx"]);
    assert_eq!(yaml.lines().count(), text.lines().count());
}
