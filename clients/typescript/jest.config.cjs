// As an app's: the preset of React Native, and the packages that are ES modules named for Babel.
module.exports = {
  preset: "@react-native/jest-preset",
  testMatch: ["<rootDir>/tests/**/*.jest.js"],
  transform: { "^.+\\.(js|ts|tsx)$": ["babel-jest", { presets: ["module:@react-native/babel-preset"] }] },
  // As Metro, which prefers the half for browsers.
  moduleNameMapper: { "^tus-js-client$": "<rootDir>/node_modules/tus-js-client/lib.es5/browser/index.js" },
  transformIgnorePatterns: ["node_modules/(?!(@react-native|react-native)/)"],
};
