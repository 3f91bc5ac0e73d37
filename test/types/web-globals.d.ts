/** Names of the DOM that declarations of libraries take for granted and @types/node does not have: the MCP SDK speaks of this one. */
type HeadersInit = NonNullable<ConstructorParameters<typeof Headers>[0]>;
