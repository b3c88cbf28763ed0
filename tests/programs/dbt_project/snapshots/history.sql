{% snapshot history %}
{{ config(unique_key='id', strategy='check', check_cols=['capacity'], target_schema='PARCELS') }}
select id, name, capacity from {{ ref('points') }}
{% endsnapshot %}
