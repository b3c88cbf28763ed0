{{ config(materialized='ephemeral') }}
select id, capacity * 2 as twice from {{ ref('staged') }}
