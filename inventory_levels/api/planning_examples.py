"""The examples of planning in the API's documentation; checked against real answers, too."""

from inventory_levels.api.examples import Example

STOCKS: Example = {
    "items": [
        {
            "productMasterId": "prod_123",
            "locationId": "loc_123",
            "quantityOnHand": 60,
            "quantityOnOrder": 40,
            "quantityReserved": 10,
        },
        {"productMasterId": "prod_123", "locationId": "loc_456", "quantityOnHand": 3},
    ]
}
STATES: Example = {
    "items": [
        {
            "productMasterId": "prod_123",
            "locationId": "loc_123",
            "levelId": "level_123",
            "state": "reorder",
            "reason": "The position of 90 (60 on hand + 40 on order - 10 reserved) is not above "
            "the reorder point of 100: order 410 to fill up to 500.",
            "suggestedQuantity": 410,
            "replenishmentLocationId": "loc_456",
            "daysOfCover": 9,
        },
        {
            "productMasterId": "prod_123",
            "locationId": "loc_456",
            "levelId": None,
            "state": "noLevel",
            "reason": "This product has no level at this location.",
            "suggestedQuantity": None,
            "replenishmentLocationId": None,
            "daysOfCover": None,
        },
    ]
}
RECOMMENDATION: Example = {
    "levelId": "level_123",
    "current": {"minQuantity": 50, "reorderQuantity": 100, "maxQuantity": 500},
    "recommendation": {"minQuantity": 15, "reorderQuantity": 61, "maxQuantity": 155},
    "reason": None,
    "inputs": {
        "demandPerDay": 6.6667,
        "expectedLeadTimeDays": 7,
        "replenishmentPeriodDays": 14,
        "serviceLevel": 0.98,
        "z": 2.0537,
        "safetyStock": 14.0298,
    },
    "explanation": [
        "Minimum: the safety stock, z 2.0537 (98 %) × √(6.667 a day × 7 days) = 14.03, "
        "rounded up to 15.",
        "Reorder point: 6.667 a day × 7 days lead time = 46.67, + 14.03 safety stock (98 %) "
        "= 60.70, rounded up to 61.",
        "Maximum: 60.70, + 6.667 a day × 14 days replenishment period = 154.03, rounded up to 155.",
    ],
    "remarks": [],
}
NO_RECOMMENDATION: Example = {
    **RECOMMENDATION,
    "recommendation": None,
    "reason": "insufficient data: forecastQuantity",
    "inputs": {**RECOMMENDATION["inputs"], "demandPerDay": None, "safetyStock": None},
    "explanation": [],
}
LEVEL_QUERY: Example = {"locationId": "loc_123", "abcClass": ["A", "B"]}
APPLIED: Example = {
    "created": 0,
    "updated": 1,
    "unchanged": 0,
    "failed": 0,
    "insufficientData": 0,
    "dryRun": False,
    "results": [],
}
