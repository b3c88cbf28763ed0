select * from {{ ref('large') }} where twice < 60
