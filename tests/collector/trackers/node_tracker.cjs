// Sends an event of each kind of the official Node tracker; prints their ids by their names.
//
// Usage: node node_tracker.cjs URL get|post BASE64 good|bad

const snowplow = require("@snowplow/node-tracker");

const [url, eventMethod, base64, what] = process.argv.slice(2);
const LINK_CLICK = "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1";
const VERSION = {
  schema: "iglu:com.snowplowanalytics.snowplow/application/jsonschema/1-0-0",
  data: { version: "1.2.3 é" },
};
const page = {
  pageUrl: "https://shop.acme.com:8443/hats?size=m#top",
  pageTitle: "Hats & caps",
  referrer: "https://a.example/b",
};
const product = {
  sku: "h-1", name: "Bowler", category: "hats", unitPrice: 49.95, quantity: 2, currency: "EUR",
};
const ad = { costModel: "cpc", cost: 0.5, advertiserId: "a-1", campaignId: "c-1" };
const form = { formId: "f-1", elementId: "e-1", nodeName: "INPUT", value: "x", elementClasses: ["k"] };
const consent = { id: "p-1", version: "2", name: "privacy", description: "all of it" };

function goodEvents() {
  return {
    page_view: snowplow.buildPageView(page),
    page_ping: snowplow.buildPagePing({
      ...page, minXOffset: 1, maxXOffset: 20, minYOffset: 3, maxYOffset: 400,
    }),
    struct: snowplow.buildStructEvent({
      category: "hats", action: "try on", label: "bowler", property: "size", value: 7.5,
    }),
    transaction: snowplow.buildEcommerceTransaction({
      orderId: "o-1", total: 99.9, affiliation: "acme", tax: 9.5, shipping: 5,
      city: "Bonn", state: "NRW", country: "DE", currency: "EUR",
    }),
    transaction_item: snowplow.buildEcommerceTransactionItem({
      orderId: "o-1", sku: "h-1", price: 49.95, name: "Bowler", category: "hats",
      quantity: 2, currency: "EUR",
    }),
    self_describing: snowplow.buildSelfDescribingEvent({
      event: { schema: LINK_CLICK, data: { targetUrl: "https://a.example/" } },
    }),
    screen_view: snowplow.buildScreenView({ name: "cart", id: "s-1" }),
    link_click: snowplow.buildLinkClick({
      targetUrl: "https://a.example/", elementId: "e-1", elementClasses: ["big", "red"],
      elementTarget: "_blank", elementContent: "more",
    }),
    ad_impression: snowplow.buildAdImpression({
      ...ad, impressionId: "i-1", targetUrl: "https://a.example/", bannerId: "b-1", zoneId: "z-1",
    }),
    ad_click: snowplow.buildAdClick({
      ...ad, targetUrl: "https://a.example/", clickId: "k-1", bannerId: "b-1", zoneId: "z-1",
      impressionId: "i-1",
    }),
    ad_conversion: snowplow.buildAdConversion({
      ...ad, conversionId: "v-1", category: "hats", action: "buy", property: "size",
      initialValue: 49.95,
    }),
    social_interaction: snowplow.buildSocialInteraction({
      action: "like", network: "acme", target: "h-1",
    }),
    add_to_cart: snowplow.buildAddToCart(product),
    remove_from_cart: snowplow.buildRemoveFromCart(product),
    change_form: snowplow.buildFormFocusOrChange({ ...form, schema: "change_form", type: "text" }),
    focus_form: snowplow.buildFormFocusOrChange({ ...form, schema: "focus_form", type: "text" }),
    submit_form: snowplow.buildFormSubmission({
      formId: "f-1", formClasses: ["k"],
      elements: [{ name: "n", value: "x", nodeName: "INPUT", type: "text" }],
    }),
    site_search: snowplow.buildSiteSearch({
      terms: ["hat", "red"], filters: { size: "m", new: true }, totalResults: 12, pageResults: 10,
    }),
    consent_withdrawn: snowplow.buildConsentWithdrawn({ all: false, ...consent }),
    consent_granted: snowplow.buildConsentGranted({ ...consent, expiry: "2030-01-31T00:00:00Z" }),
    with_context: [snowplow.buildPageView(page), [VERSION, VERSION]],
    with_time: [snowplow.buildPageView(page), [], { type: "ttm", value: 1767225600123 }],
  };
}

function badEvents() {
  const link = (data, schema = LINK_CLICK) =>
    snowplow.buildSelfDescribingEvent({ event: { schema, data } });
  const unknownKey = link({ targetUrl: "x" });
  unknownKey.add("colour", "red");
  return {
    wrong_type: link({ targetUrl: 5 }),
    unknown_schema: link({}, "iglu:com.acme/unknown/jsonschema/1-0-0"),
    unknown_property: link({ targetUrl: "x", colour: "red" }),
    unknown_key: unknownKey,
    content_type: link({ targetUrl: "x" }),
    too_large: link({ targetUrl: "x".repeat(3_000_000) }),
  };
}

function newTracker(name) {
  const asText = (request) =>
    fetch(new Request(request, { headers: { "Content-Type": "text/plain" } }));
  const tracker = snowplow.newTracker(
    { namespace: "node", appId: "shop", encodeBase64: base64 === "true" },
    {
      endpoint: url, eventMethod, bufferSize: 1, maxPostBytes: 4_000_000, maxGetBytes: 10_000,
      retryFailedRequests: false, ...(name === "content_type" && { customFetch: asText }),
    },
  );
  tracker.setPlatform("web");
  tracker.setUserId("u-1");
  tracker.setScreenResolution("1920", "1080");
  tracker.setViewport("800", "600");
  tracker.setColorDepth("24");
  tracker.setTimezone("Europe/Berlin");
  tracker.setLang("de-DE");
  tracker.setDomainUserId("d-1");
  tracker.setSessionIndex(3);
  tracker.setSessionId("c6ef3124-b53a-4b13-a233-0088f79dcbcb");
  tracker.setIpAddress("192.0.2.7");
  tracker.setUseragent("Hatter/1.0");
  tracker.setNetworkUserId("n-1");
  return tracker;
}

async function main() {
  const ids = {};
  for (const [name, event] of Object.entries(what === "good" ? goodEvents() : badEvents())) {
    const tracker = newTracker(name);
    const [builder, ...more] = event.context ? [event.event, event.context] : [event].flat(1);
    ids[name] = tracker.track(builder, ...more).eid;
    await tracker.flush();
  }
  console.log(JSON.stringify(ids));
}

main();
