{{ config(materialized='table', cluster_by=['id']) }}
select s.id, s.name, d.twice from {{ ref('staged') }} s join {{ ref('doubled') }} d using (id) where d.twice >= 60
