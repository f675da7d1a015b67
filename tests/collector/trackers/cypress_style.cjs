// A test in the style of Snowplow's examples for Micro and Cypress: reset, act, then ask what came.
// It knows nothing of who answers. Usage: node cypress_style.cjs URL

const assert = require("node:assert/strict");
const snowplow = require("@snowplow/node-tracker");

const url = process.argv[2];
const ask = async (path) => (await fetch(`${url}/micro/${path}`)).json();

// Whether `got` has all that `wanted` has: mappings may have more keys, lists more items.
function has(wanted, got) {
  if (Array.isArray(wanted)) {
    return Array.isArray(got) && wanted.every((item) => got.some((other) => has(item, other)));
  }
  if (wanted !== null && typeof wanted === "object") {
    return (
      got !== null && typeof got === "object" &&
      Object.keys(wanted).every((key) => key in got && has(wanted[key], got[key]))
    );
  }
  return wanted === got;
}

const isUnstruct = (item) => item.eventType === "unstruct";
const filters = {
  schema: (item, wanted) => isUnstruct(item) && item.event.unstruct_event.data.schema === wanted,
  values: (item, wanted) => isUnstruct(item) && has(wanted, item.event.unstruct_event.data.data),
  contexts: (item, wanted) => has(wanted, item.event.contexts.data ?? null),
  parameters: (item, wanted) => has(wanted, item.event),
};

async function matching(properties) {
  const good = await ask("good");
  return good.filter((item) =>
    Object.entries(properties).every(([name, wanted]) => filters[name](item, wanted)),
  );
}

const cy = {
  resetMicro: () => ask("reset"),
  noBadEvents: async () => assert.equal((await ask("bad")).length, 0),
  numGoodEvents: async (n) => assert.equal((await ask("good")).length, n),
  numBadEvents: async (n) => assert.equal((await ask("bad")).length, n),
  numTotalEvents: async (n) => assert.equal((await ask("all")).total, n),
  eventsWithEventType: async (type, n) =>
    assert.equal((await ask("good")).filter((item) => item.eventType === type).length, n),
  eventsWithSchema: (schema, n) => cy.eventsWithProperties({ schema }, n),
  eventsWithParams: (parameters, n) => cy.eventsWithProperties({ parameters }, n),
  eventsWithContexts: (contexts, n) => cy.eventsWithProperties({ contexts }, n),
  eventsWithProperties: async (properties, n) =>
    assert.equal((await matching(properties)).length, n, JSON.stringify(properties)),
  // Each of them matches one event, and their times are in this order.
  eventsWithOrder: async (list) => {
    const found = await Promise.all(list.map(matching));
    assert.deepEqual(found.map((events) => events.length), list.map(() => 1));
    const times = found.map(([item]) => item.event.derived_tstamp);
    assert.deepEqual(times, [...times].sort());
    assert.equal(new Set(times).size, times.length);
  },
};

const CENTRAL = "iglu:com.snowplowanalytics.snowplow";
const FORM = `${CENTRAL}/submit_form/jsonschema/1-0-0`;
const CART = `${CENTRAL}/add_to_cart/jsonschema/1-0-0`;
const WEB_PAGE = `${CENTRAL}/web_page/jsonschema/1-0-0`;
const webPage = { schema: WEB_PAGE, data: { id: "a6ef3124-b53a-4b13-a233-0088f79dcbcb" } };

async function visitTheShop() {
  const tracker = snowplow.newTracker(
    { namespace: "shop-tracker", appId: "shop" },
    { endpoint: url, bufferSize: 1 },
  );
  let at = 1767225600000;
  const track = async (event, contexts = [webPage]) => {
    tracker.track(event, contexts, { type: "ttm", value: (at += 1) });
    await tracker.flush();
  };
  const elements = [
    { name: "user_email", value: "ada@example.com", nodeName: "INPUT", type: "email" },
    { name: "user_city", value: "Bonn", nodeName: "INPUT", type: "text" },
  ];
  await track(snowplow.buildPageView({ pageUrl: "https://shop.example/", pageTitle: "Shop" }));
  await track(snowplow.buildFormSubmission({ formId: "login", elements }));
  await track(snowplow.buildAddToCart({ sku: "h-1", quantity: 1, unitPrice: 15.5 }));
  await track(snowplow.buildAddToCart({ sku: "h-2", quantity: 3 }), []);
  await track(snowplow.buildStructEvent({ category: "Mixes", action: "Play", label: "x" }));
}

async function main() {
  await cy.resetMicro();
  await cy.numTotalEvents(0);
  await visitTheShop();

  await cy.noBadEvents();
  await cy.numGoodEvents(5);
  await cy.numTotalEvents(5);

  await cy.eventsWithEventType("page_view", 1);
  await cy.eventsWithEventType("struct", 1);
  await cy.eventsWithEventType("unstruct", 3);

  await cy.eventsWithSchema(FORM, 1);
  await cy.eventsWithSchema(CART, 2);
  await cy.eventsWithProperties(
    { schema: FORM, values: { elements: [{ value: "Bonn" }, { name: "user_email" }] } }, 1,
  );
  await cy.eventsWithProperties({ values: { elements: [{ value: "Paris" }] } }, 0);
  await cy.eventsWithProperties({ values: { quantity: 3 } }, 1);
  await cy.eventsWithProperties(
    {
      schema: CART,
      values: { sku: "h-1", unitPrice: 15.5 },
      contexts: [webPage],
      parameters: { name_tracker: "shop-tracker", platform: "srv" },
    },
    1,
  );

  await cy.eventsWithParams({ event: "struct", se_category: "Mixes", se_action: "Play" }, 1);
  await cy.eventsWithParams({ event: "page_view", page_url: "https://shop.example/" }, 1);
  await cy.eventsWithParams({ user_id: null, app_id: "shop" }, 5);

  await cy.eventsWithContexts([{ schema: WEB_PAGE }], 4);
  await cy.eventsWithContexts([{ schema: WEB_PAGE, data: { id: "another" } }], 0);
  await cy.eventsWithOrder([
    { parameters: { event: "page_view" } }, { schema: FORM }, { values: { sku: "h-1" } },
    { values: { sku: "h-2" } },
  ]);

  const body = JSON.stringify({
    schema: `${CENTRAL}/payload_data/jsonschema/1-0-4`,
    data: [{ e: "pv", p: "web", tv: "js-1", eid: "no-uuid" }],
  });
  const headers = { "Content-Type": "application/json" };
  await fetch(`${url}/com.snowplowanalytics.snowplow/tp2`, { method: "POST", headers, body });
  await cy.numBadEvents(1);
  await assert.rejects(cy.noBadEvents);
  await cy.resetMicro();
  await cy.noBadEvents();
  await cy.numGoodEvents(0);
}

main();
