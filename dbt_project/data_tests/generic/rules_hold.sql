{#- All rules of a table in one pass over it; `broken_rule` is the first one that a row breaks. -#}
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
