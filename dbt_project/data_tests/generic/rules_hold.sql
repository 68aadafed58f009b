{#- Checks all rules of a table in one pass; `broken_rule` is the first rule that a row breaks. -#}
{% test rules_hold(model, rules, scope=none, day=none) %}

with judged as (

    select
        *,
        {{ first_broken(rules) }} as broken_rule
    from {{ tested_rows(model, scope, day) }}

)

select *
from judged
where broken_rule is not null

{% endtest %}
