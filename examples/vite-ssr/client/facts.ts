/** What the server knows of a page, and tells the browser as JSON. */
export interface Facts {
  readonly name: string;
}

/** What render.tsx exports. */
export interface Renderer {
  readonly render: (facts: Facts) => string;
}
